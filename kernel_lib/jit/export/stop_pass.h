/*
 * LLVM has no way to leave its passes in the middle that loses no memory. This pass stands between
 * them: when the work is to be given up, it takes what is left to do from those that follow.
 */
#pragma once
#include "kernel_lib/jit/successors.h"
#include "llvm/IR/PassManager.h"

namespace jit {

class StopPass : public llvm::PassInfoMixin<StopPass> {
  public:
    explicit StopPass(jit_go_on *go_on) : go_on(go_on) {}

    /* Unless go_on(), the function has no code any more: the module is good for nothing. */
    llvm::PreservedAnalyses run(llvm::Function &function, llvm::FunctionAnalysisManager &);

  private:
    jit_go_on *go_on;
};

} // namespace jit
