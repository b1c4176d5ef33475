/*
 * The optimisation of one function's module: LLVM's passes, chosen for each level.
 */
#pragma once
#include "kernel_lib/jit/function.h"
#include "kernel_lib/jit/successors.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/PassManager.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"

namespace jit {

/* The passes of one level, which run on one module after another. */
class Passes {
  public:
    /* For a module that is the whole program, on the highest level. When go_on() returns false, the
     * module is good for nothing. */
    struct WholeProgram {
        jit_go_on *go_on;
    };
    Passes(llvm::TargetMachine &machine, const llvm::TargetLibraryInfoImpl &library, WholeProgram);

    Passes(llvm::TargetMachine &machine, const llvm::TargetLibraryInfoImpl &library,
           jit_level level);
    Passes(const Passes &) = delete;

    void run(llvm::Module &module);

  private:
    void register_analyses(llvm::TargetMachine &machine,
                           const llvm::TargetLibraryInfoImpl &library);
    void run_on_each_function(llvm::Module &module);

    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::ModuleAnalysisManager modules;
    llvm::ModulePassManager passes;
    /* Of a whole program, when all has been inlined: */
    llvm::FunctionPassManager for_speed, for_size;
    jit_go_on *go_on = nullptr; /* of a whole program */
};

} // namespace jit
