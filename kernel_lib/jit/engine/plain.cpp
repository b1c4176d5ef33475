/* Labels, thread-local variables and aliases. */
#include "kernel_lib/jit/engine/plain.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

/* Numbers the function's labels whose address somebody takes, from 1 on: none is a null pointer. */
static std::vector<BasicBlock *> number_labels_of(Function &function) {
    std::vector<BasicBlock *> labels;
    for (BasicBlock &block : function) {
        BlockAddress *address = block.hasAddressTaken() ? BlockAddress::lookup(&block) : nullptr;
        if (!address)
            continue;
        labels.push_back(&block);
        auto *number = ConstantInt::get(Type::getInt64Ty(function.getContext()), labels.size());
        address->replaceAllUsesWith(ConstantExpr::getIntToPtr(number, address->getType()));
        address->destroyConstant();
    }
    return labels;
}

/* A jump to what is none of its labels is undefined. */
static void jump_by_number(IndirectBrInst &jump, ArrayRef<BasicBlock *> labels) {
    BasicBlock *from = jump.getParent();
    auto *nowhere = BasicBlock::Create(jump.getContext(), "", from->getParent());
    new UnreachableInst(jump.getContext(), nowhere);
    IRBuilder<> builder(&jump);
    SwitchInst *choice = builder.CreateSwitch(
        builder.CreatePtrToInt(jump.getAddress(), builder.getInt64Ty()), nowhere);
    SmallPtrSet<BasicBlock *, 16> left(succ_begin(&jump), succ_end(&jump));
    for (size_t i = 0; i < labels.size(); i++)
        if (left.erase(labels[i]))
            choice->addCase(builder.getInt64(i + 1), labels[i]);
    /* Each target has been entered from here as often as it was listed; now it is once, and those
     * without an address never. */
    SmallPtrSet<BasicBlock *, 16> once;
    for (BasicBlock *target : successors(&jump))
        if (left.contains(target) || !once.insert(target).second)
            target->removePredecessor(from, true);
    jump.eraseFromParent();
}

void jit::number_labels(Module &module) {
    for (Function &function : module) {
        std::vector<BasicBlock *> labels = number_labels_of(function);
        SmallVector<IndirectBrInst *, 4> jumps;
        for (BasicBlock &block : function)
            if (auto *jump = dyn_cast<IndirectBrInst>(block.getTerminator()))
                jumps.push_back(jump);
        for (IndirectBrInst *jump : jumps)
            jump_by_number(*jump, labels);
    }
}

void jit::share_thread_locals(Module &module) {
    for (GlobalVariable &variable : module.globals())
        variable.setThreadLocal(false);
    for (Function &function : make_early_inc_range(module)) {
        if (function.getIntrinsicID() != Intrinsic::threadlocal_address)
            continue;
        for (User *user : make_early_inc_range(function.users())) {
            auto *address = cast<IntrinsicInst>(user);
            address->replaceAllUsesWith(address->getArgOperand(0));
            address->eraseFromParent();
        }
        function.eraseFromParent();
    }
}

void jit::resolve_aliases(Module &module) {
    for (GlobalAlias &alias : make_early_inc_range(module.aliases())) {
        std::string name = alias.getName().str();
        auto *function = dyn_cast<Function>(alias.getAliasee());
        alias.replaceAllUsesWith(alias.getAliasee());
        alias.eraseFromParent();
        if (function && function->getName().starts_with("_Z"))
            function->setName(name);
    }
}
