/* Compiles one version of one function. */
#include "kernel_lib/jit/engine/compiler.h"
#include "kernel_lib/jit/engine/codegen_options.h"
#include "kernel_lib/jit/engine/entry.h"
#include "kernel_lib/jit/engine/extract.h"
#include "kernel_lib/jit/engine/loops.h"
#include "kernel_lib/jit/engine/recover.h"
#include "kernel_lib/jit/engine/specialise.h"

using namespace llvm;
using namespace jit;

Compiler::Compiler(Program &program)
    : program(program), pipeline(program.module().getTargetTriple(),
                                 [&](StringRef name) { return program.address(name) != nullptr; }) {
    recover_from_now_on();
}

static LoopSymbols loop_symbols(Module &module) {
    Type *any = Type::getInt8Ty(module.getContext());
    auto symbol = [&](const char *name) { return module.getOrInsertGlobal(name, any); };
    return {symbol(PROFILE_SYMBOL), symbol(NOTE_ROUNDS_SYMBOL), symbol(LIVE_VALUES_SYMBOL)};
}

std::unique_ptr<Module> Compiler::build(const Entry &entry, jit_code &code) {
    const Function &original = *entry_of(*code.body).function;
    Extraction extraction(program.module());
    Function &general = extraction.clone(original, "jit_general");
    /* It is reached by jumps from several places; inlined, the entry would need a frame. */
    general.removeFnAttr(Attribute::AlwaysInline);
    general.addFnAttr(Attribute::NoInline);
    auto clone = [&](const Twine &name, ArrayRef<Constant *> values) -> Function & {
        return extraction.clone(original, name, values);
    };
    Function &body = code.specialised ? specialise(general, entry.values, clone) : general;
    code.specialised = &body != &general;
    if (code.level == JIT_O0 && code.body == &entry)
        add_loop_checks(body, loop_symbols(extraction.module()));
    extraction.add_what_may_be_inlined(code.level);
    add_entry(body, code.level);
    if (code.options & JIT_ALL_FEATURES)
        use_all_features(extraction.module(), processor);
    if (code.options & JIT_FREE_LOOPS)
        free_loops(extraction.module());
    return extraction.take();
}

std::unique_ptr<Module> Compiler::build_continuation(const Entry &entry, jit_level level,
                                                     size_t head) {
    Extraction extraction(program.module());
    Function &body = extraction.clone(*entry.function, "jit_general");
    body.removeFnAttr(Attribute::AlwaysInline);
    body.addFnAttr(Attribute::NoInline);
    Constant *values = loop_symbols(extraction.module()).live_values;
    Function &continuation = make_continuation(body, head, values);
    extraction.add_what_may_be_inlined(level);
    add_jump(continuation);
    return extraction.take();
}

Expected<SmallVector<char, 0>> Compiler::compile(const Entry &entry, jit_code &code) {
    return compile(code.level, [&] { return build(entry, code); });
}

Expected<SmallVector<char, 0>> Compiler::compile_continuation(const Entry &entry, jit_level level,
                                                              size_t head) {
    return compile(level, [&] { return build_continuation(entry, level, head); });
}

Expected<SmallVector<char, 0>> Compiler::compile(jit_level level, Build build) {
    SmallVector<char, 0> object;
    Error error = recovering(program, [&]() -> Error {
        if (context != &program.context()) { /* work was given up, here or elsewhere */
            pipeline.abandon();
            context = &program.context();
        }
        std::unique_ptr<Module> module = build();
        auto made = pipeline.run(*module, level);
        if (!made)
            return made.takeError();
        object = std::move(*made);
        return Error::success();
    });
    if (error)
        return std::move(error);
    return object;
}
