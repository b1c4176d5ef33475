#include "kernel_lib/jit/export/functions.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"

using namespace llvm;

void jit::for_each_callee(Function &body, function_ref<void(Function &)> visit) {
    for (Instruction &instruction : instructions(body))
        if (auto *call = dyn_cast<CallBase>(&instruction))
            if (Function *callee = call->getCalledFunction())
                if (!callee->isDeclaration())
                    visit(*callee);
}

bool jit::has_loop(Function &function) {
    DominatorTree dominators(function);
    return !LoopInfo(dominators).empty();
}

bool jit::is_in_loop(Instruction &instruction) {
    DominatorTree dominators(*instruction.getFunction());
    return LoopInfo(dominators).getLoopFor(instruction.getParent());
}
