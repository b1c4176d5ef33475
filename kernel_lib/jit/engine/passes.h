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
    /* For a module of many functions, on the highest level. When go_on() returns false, the module
     * is good for nothing. */
    struct ManyFunctions {
        jit_go_on *go_on;
    };
    Passes(llvm::TargetMachine &machine, const llvm::TargetLibraryInfoImpl &library, ManyFunctions);

    Passes(llvm::TargetMachine &machine, const llvm::TargetLibraryInfoImpl &library,
           jit_level level);
    Passes(const Passes &) = delete;

    void run(llvm::Module &module);

  private:
    void register_analyses(llvm::TargetMachine &machine,
                           const llvm::TargetLibraryInfoImpl &library);

    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::ModuleAnalysisManager modules;
    llvm::ModulePassManager passes;
};

} // namespace jit
