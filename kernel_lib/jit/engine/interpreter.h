/*
 * Tier 0: functions run in LLVM's Interpreter from their first call on, unless it cannot run them
 * or their loops would take too long there.
 */
#pragma once
#include "kernel_lib/jit/engine/arguments.h"
#include "kernel_lib/jit/engine/lower.h"
#include "llvm/ExecutionEngine/ExecutionEngine.h"

namespace jit {

struct InterpreterOptions {
    jit_level first;     /* above the interpreter: for this every function is compiled at its first
                            call */
    jit_level most;      /* for no higher one */
    unsigned loop_depth; /* functions with loops nested deeper are compiled at once */
};

class Interpreter {
  public:
    /* From now on calls of the program's stubs work. There is one; it is never destroyed. */
    Interpreter(Program &program, const InterpreterOptions &options);

    /* What jit_entered (enter.h) does. */
    void *enter(size_t index, struct jit_registers &registers);

  private:
    jit_level first_level(const Entry &entry) const;
    bool compile(Entry &entry, const char *reason);
    void decide(Entry &entry, Interpretation &state);
    void settle_for_interpreting(Entry &entry, Interpretation &state);
    void lower(Entry &entry, Interpretation &state);
    void interpret(Entry &entry, llvm::Function &clone, struct jit_registers &registers);
    void leave_what_is_gone(const struct jit_registers &caller);
    void leave(size_t depth);
    llvm::ExecutionEngine &engine();

    Program &program_;
    InterpreterOptions options_;
    std::unique_ptr<Lowering> lowering_;
    /* LLVM's Interpreter cannot be entered again while it runs: one for each level of nesting. */
    struct Nested {
        std::unique_ptr<llvm::ExecutionEngine> engine;
        const struct jit_registers *caller; /* on the stack, of the call that it runs */
    };
    std::vector<Nested> nested_;
    size_t depth_ = 0; /* of these, those that run */
};

} // namespace jit
