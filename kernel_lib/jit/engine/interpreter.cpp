/* Tier 0. */
#include "kernel_lib/jit/engine/interpreter.h"
#include "kernel_lib/jit/engine/profiled_arguments.h"
#include "kernel_lib/jit/engine/recover.h"
#include "kernel_lib/jit/log.h"
extern "C" {
#include "kernel_lib/jit_runtime.h"
}
#include "llvm/ExecutionEngine/GenericValue.h"
#include "llvm/ExecutionEngine/Interpreter.h"

using namespace llvm;
using namespace jit;

/* Interpreted functions in each other at most; deeper ones are compiled, which needs less stack. */
constexpr size_t MAX_DEPTH = 64;

static jit::Interpreter *the_interpreter;

extern "C" void *jit_entered(uint32_t index, struct jit_registers *registers) {
    return the_interpreter->enter(index, *registers);
}

jit::Interpreter::Interpreter(Program &program, const InterpreterOptions &options)
    : program_(program), options_(options) {
    the_interpreter = this;
}

/* The level of its first code. An earlier boot may have found that its calls do not leave their
 * loops soon. */
jit_level jit::Interpreter::first_level(const Entry &entry) const {
    bool loops = strcmp(entry.earlier.reason, JIT_LONG_LOOP) == 0;
    return std::max(
        {options_.first, JIT_O0, loops ? std::min(entry.earlier.level, options_.most) : JIT_O0});
}

/* Compiles the function; false when that fails. What runs it already, stays. */
bool jit::Interpreter::compile(Entry &entry, const char *reason) {
    if (*entry.slot != entry.first_target)
        return true;
    uint64_t begin = cpu_rdtsc();
    bool good = jit_compile(&entry, first_level(entry), false, reason);
    jit_note_first_code(&entry, good, cpu_rdtsc() - begin);
    return good;
}

void *jit::Interpreter::enter(size_t index, struct jit_registers &registers) {
    Entry &entry = program_.entries()[index];
    Interpretation &state = entry.interpretation;
    leave_what_is_gone(registers);
    if (!state.decided)
        decide(entry, state);
    if (state.reason) {
        if (compile(entry, state.reason))
            return *entry.slot;
        settle_for_interpreting(entry, state);
    } else if (depth_ >= MAX_DEPTH && compile(entry, "calls nested too deep to interpret")) {
        return *entry.slot;
    }
    interpret(entry, *state.clone, registers);
    return nullptr;
}

void jit::Interpreter::decide(Entry &entry, Interpretation &state) {
    if (options_.first != JIT_INTERPRETER)
        state.reason = "no interpreter wanted";
    else if (first_level(entry) > JIT_O0)
        state.reason = JIT_LONG_LOOP;
    else if (loop_depth(*entry.function) > options_.loop_depth)
        state.reason = "loops would take long in the interpreter";
    else
        lower(entry, state);
    state.decided = true;
    entry.reason = state.reason ? state.reason : "called";
}

/* Clones that were made from an abandoned context stay, and so what they refer to. */
void jit::Interpreter::lower(Entry &entry, Interpretation &state) {
    Error error = recovering(program_, [&]() -> Error {
        if (!lowering_ || &lowering_->context() != &program_.context()) {
            lowering_.release();
            lowering_ = std::make_unique<Lowering>(program_);
        }
        state.clone = lowering_->lower(*entry.function, &state.reason);
        return Error::success();
    });
    if (!error)
        return;
    state.reason = "no clone for the interpreter could be made";
    jit_log("JIT: %s cannot be interpreted: %s", entry.name, toString(std::move(error)).c_str());
}

/* For functions that it would be better to compile, but compiling failed. */
void jit::Interpreter::settle_for_interpreting(Entry &entry, Interpretation &state) {
    lower(entry, state);
    if (!state.clone) {
        struct memory_usage memory = memory_usage();
        jit_print_log();
        hand_over_if_trimmed();
        panic("JIT: %s cannot be interpreted (%s) nor be compiled: %llu of %llu MiB of memory are "
              "in use",
              entry.name, state.reason, static_cast<unsigned long long>(memory.used >> 20),
              static_cast<unsigned long long>(memory.total >> 20));
    }
    entry.reason = "compiling failed";
}

/* A longjmp may have gone past interpreted calls: what called them is now below its caller. */
void jit::Interpreter::leave_what_is_gone(const struct jit_registers &caller) {
    size_t depth = depth_;
    while (depth > 0 && nested_[depth - 1].caller <= &caller)
        depth--;
    if (depth < depth_)
        leave(depth);
}

/* Interpreters that were left in the middle of their work are not used again. */
void jit::Interpreter::leave(size_t depth) {
    depth_ = depth;
    auto used = [](const Nested &nested) { return nested.caller != nullptr; };
    nested_.erase(
        std::find_if(nested_.begin() + static_cast<ptrdiff_t>(depth), nested_.end(), used),
        nested_.end());
}

/* Clones live in one module of their own; the engine's is empty. */
ExecutionEngine &jit::Interpreter::engine() {
    if (depth_ == nested_.size()) {
        auto module = std::make_unique<Module>("interpreter", program_.context());
        module->setDataLayout(program_.module().getDataLayout());
        std::string error;
        EngineBuilder builder(std::move(module));
        builder.setEngineKind(EngineKind::Interpreter).setErrorStr(&error);
        nested_.push_back({}); /* no code generation, so no target */
        nested_.back().engine.reset(builder.create(nullptr));
        if (!nested_.back().engine)
            panic("JIT: LLVM's interpreter: %s", error.c_str());
    }
    return *nested_[depth_].engine;
}

void jit::Interpreter::interpret(Entry &entry, Function &clone, struct jit_registers &registers) {
    SmallVector<GenericValue, 8> values;
    uint64_t integers[JIT_ARGUMENTS];
    size_t noted = 0;
    ArgumentReader reader(registers);
    for (const Argument &argument : clone.args()) {
        values.push_back(reader.next(argument.getType()));
        if (is_profiled(argument.getType()) && noted < entry.values.arguments)
            integers[noted++] = values.back().IntVal.getZExtValue();
    }
    entry.calls++;
    jit_note_arguments(&entry, integers);
    ExecutionEngine &interpreter = engine();
    size_t depth = depth_;
    nested_[depth].caller = &registers;
    depth_ = depth + 1;
    uint64_t begin = cpu_rdtsc();
    GenericValue result = interpreter.runFunction(&clone, values);
    uint64_t cycles = cpu_rdtsc() - begin;
    nested_[depth].caller = nullptr;
    leave(depth);
    write_result(registers, clone, result);
    jit_note_call(&entry, JIT_INTERPRETER, cycles);
}
