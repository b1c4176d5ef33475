/* Where a call can go on in other code, and with which values. */
#include "kernel_lib/jit/engine/live_values.h"
#include "kernel_lib/jit/engine/loops.h"
#include "llvm/ADT/DepthFirstIterator.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace {

using Blocks = SmallPtrSet<const BasicBlock *, 32>;

/* Each takes time and code. Outer loops come before those in them. */
constexpr size_t MAX_HEADS = 32;

bool gives_stack_back(const Instruction &instruction) {
    auto *intrinsic = dyn_cast<IntrinsicInst>(&instruction);
    return intrinsic && intrinsic->getIntrinsicID() == Intrinsic::stackrestore;
}

/* A continuation has neither the frame nor the arguments of the call that it continues. */
bool needs_its_frame(const Instruction &instruction) {
    auto *call = dyn_cast<CallInst>(&instruction);
    return call && (call->isMustTailCall() || call->hasFnAttr(Attribute::ReturnsTwice) ||
                    gives_stack_back(*call));
}

Blocks reachable_from(const BasicBlock &block) {
    Blocks reached;
    for (const BasicBlock *next : depth_first(&block))
        reached.insert(next);
    return reached;
}

/* The block at whose end, or in which, the value is needed. */
const BasicBlock *place_of(const Use &use) {
    auto *user = cast<Instruction>(use.getUser());
    auto *phi = dyn_cast<PHINode>(user);
    return phi ? phi->getIncomingBlock(use) : user->getParent();
}

class Liveness {
  public:
    Liveness(BasicBlock &head, const DominatorTree &dominators)
        : head(head), dominators(dominators), reached(reachable_from(head)) {}

    /* Without those that are defined anew before each use. */
    bool is_live(const Value &value) const {
        auto *instruction = dyn_cast<Instruction>(&value);
        if (instruction && !is_computed_before(*instruction))
            return false;
        return any_of(value.uses(),
                      [&](const Use &use) { return reached.contains(place_of(use)); });
    }

  private:
    bool is_computed_before(const Instruction &instruction) const {
        const BasicBlock *block = instruction.getParent();
        return block == &head ? isa<PHINode>(instruction) : dominators.dominates(block, &head);
    }

    BasicBlock &head;
    const DominatorTree &dominators;
    Blocks reached;
};

} // namespace

std::vector<jit::LoopHead> jit::loop_heads(Function &function) {
    std::vector<LoopHead> heads;
    if (function.isVarArg() || any_of(instructions(function), needs_its_frame))
        return heads;
    DominatorTree dominators(function);
    LoopInfo loops(dominators);
    for (BasicBlock &block : function) {
        if (!loops.isLoopHeader(&block) || heads.size() == MAX_HEADS)
            continue;
        LoopHead head{&block, {}};
        Liveness liveness(block, dominators);
        for (Argument &argument : function.args())
            if (liveness.is_live(argument))
                head.live.push_back(&argument);
        for (Instruction &instruction : instructions(function))
            if (liveness.is_live(instruction))
                head.live.push_back(&instruction);
        if (can_be_kept(head))
            heads.push_back(std::move(head));
    }
    return heads;
}
