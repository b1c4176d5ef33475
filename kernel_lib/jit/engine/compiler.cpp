/* Compiles one version of one function. */
#include "kernel_lib/jit/engine/compiler.h"
#include "kernel_lib/jit/engine/codegen_options.h"
#include "kernel_lib/jit/engine/entry.h"
#include "kernel_lib/jit/engine/extract.h"
#include "kernel_lib/jit/engine/recover.h"
#include "kernel_lib/jit/engine/specialise.h"

using namespace llvm;
using namespace jit;

Compiler::Compiler(Program &program)
    : program(program), pipeline(program.module().getTargetTriple(),
                                 [&](StringRef name) { return program.address(name) != nullptr; }) {
    recover_from_now_on();
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
    extraction.add_what_may_be_inlined(code.level);
    add_entry(body, code.level);
    if (code.options & JIT_ALL_FEATURES)
        use_all_features(extraction.module(), processor);
    if (code.options & JIT_FREE_LOOPS)
        free_loops(extraction.module());
    return extraction.take();
}

Expected<SmallVector<char, 0>> Compiler::compile(const Entry &entry, jit_code &code) {
    SmallVector<char, 0> object;
    Error error = recovering(program, [&]() -> Error {
        if (context != &program.context()) { /* work was given up, here or elsewhere */
            pipeline.abandon();
            context = &program.context();
        }
        std::unique_ptr<Module> module = build(entry, code);
        auto made = pipeline.run(*module, code.level);
        if (!made)
            return made.takeError();
        object = std::move(*made);
        return Error::success();
    });
    if (error)
        return std::move(error);
    return object;
}
