/*
 * Interpretable clones of the application's functions.
 *
 * LLVM's Interpreter cannot be entered while it runs, takes function pointers for Function objects,
 * and knows only some instructions and hardly any intrinsic. So it gets a clone: all symbols
 * are replaced by their addresses; every call, direct or not, is one of an external function that
 * takes the target as its first argument and calls it from outside (native_call.h); intrinsics
 * and instructions that it lacks, or runs wrongly, are written out with others; loops ask for a
 * continuation (loops.h).
 */
#pragma once
#include "kernel_lib/jit/engine/native_call.h"
#include "kernel_lib/jit/engine/program.h"

namespace jit {

class Lowering {
  public:
    explicit Lowering(Program &program);

    /* The clone; or nullptr, and *reason (a string constant) says why the function cannot be
     * interpreted. */
    llvm::Function *lower(const llvm::Function &function, const char **reason);

    /* The functions that it clones must be of this context. */
    llvm::LLVMContext &context() const { return module_.getContext(); }

  private:
    void add_checks(llvm::Function &clone, jit_function *profile);
    const char *rewrite(llvm::Function &clone);
    const char *rewrite(llvm::Instruction &instruction);

    Program &program_;
    llvm::Module module_; /* of the clones */
    NativeCalls calls_;
};

/* How deep loops are nested in the function; 0 without any. */
unsigned loop_depth(const llvm::Function &function);

} // namespace jit
