#include "kernel_lib/jit/export/stop_pass.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/Module.h"

using namespace llvm;
using namespace jit;

static void remove_code(Function &function) {
    function.dropAllReferences();
    LLVMContext &context = function.getContext();
    new UnreachableInst(context, BasicBlock::Create(context, "", &function));
}

PreservedAnalyses StopPass::run(Function &function, FunctionAnalysisManager &) {
    if (go_on())
        return PreservedAnalyses::all();
    remove_code(function);
    return PreservedAnalyses::none();
}
