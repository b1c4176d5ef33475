/* A function that begins in the middle of another: at the head of a loop. */
#include "kernel_lib/jit/engine/live_values.h"
#include "kernel_lib/jit/engine/loops.h"
#include "llvm/ADT/DepthFirstIterator.h"
#include "llvm/IR/CFG.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/SSAUpdater.h"

using namespace llvm;

namespace {

/* With what body says about the processor and the result, and without its arguments. */
Function &make_like(const Function &body) {
    Module &module = const_cast<Module &>(*body.getParent());
    auto *made = Function::Create(FunctionType::get(body.getReturnType(), false),
                                  GlobalValue::InternalLinkage, "jit_continuation", module);
    AttributeList attributes = body.getAttributes();
    made->setAttributes(AttributeList::get(body.getContext(), attributes.getFnAttrs(),
                                           attributes.getRetAttrs(), {}));
    /* Its values come through memory. */
    made->removeFnAttr(Attribute::Memory);
    made->addFnAttr("frame-pointer", "all");
    return *made;
}

/* A variable's memory is another function's here. */
void forget_lifetimes(Function &function) {
    for (Instruction &instruction : make_early_inc_range(instructions(function))) {
        auto *intrinsic = dyn_cast<IntrinsicInst>(&instruction);
        if (intrinsic && intrinsic->isLifetimeStartOrEnd())
            intrinsic->eraseFromParent();
    }
}

/* What the first block loads takes the place of a value that may be computed again later. */
void merge(Instruction &value, Value &loaded, BasicBlock &first) {
    SmallVector<Use *, 16> uses;
    for (Use &use : value.uses()) {
        auto *user = cast<Instruction>(use.getUser());
        if (user->getParent() != value.getParent() || isa<PHINode>(user))
            uses.push_back(&use);
    }
    SSAUpdater updater;
    updater.Initialize(value.getType(), value.getName());
    updater.AddAvailableValue(&first, &loaded);
    updater.AddAvailableValue(value.getParent(), &value);
    for (Use *use : uses)
        updater.RewriteUse(*use);
}

} // namespace

Function &jit::make_continuation(Function &body, size_t head, Constant *memory) {
    LoopHead chosen = loop_heads(body)[head];
    Function &made = make_like(body);
    auto *first = BasicBlock::Create(made.getContext(), "", &made);
    made.splice(made.end(), &body);
    IRBuilder<> builder(first);
    std::vector<Value *> loaded = load_live(builder, chosen, memory);
    builder.CreateBr(chosen.block);
    SmallPtrSet<BasicBlock *, 32> reached;
    for (BasicBlock *block : depth_first(first))
        reached.insert(block);
    std::vector<std::pair<Instruction *, Value *>> computed_again;
    for (auto [value, now] : zip_equal(chosen.live, loaded)) {
        auto *instruction = dyn_cast<Instruction>(value);
        if (instruction && instruction->getParent() == chosen.block)
            cast<PHINode>(instruction)->addIncoming(now, first);
        else if (instruction && reached.contains(instruction->getParent()))
            computed_again.emplace_back(instruction, now);
        else
            value->replaceAllUsesWith(now);
    }
    for (PHINode &phi : chosen.block->phis()) /* those that nobody uses */
        if (phi.getBasicBlockIndex(first) < 0)
            phi.addIncoming(PoisonValue::get(phi.getType()), first);
    EliminateUnreachableBlocks(made, nullptr, true); /* a PHI of one value may get another */
    for (auto [value, now] : computed_again)
        merge(*value, *now, *first);
    forget_lifetimes(made);
    body.eraseFromParent();
    return made;
}
