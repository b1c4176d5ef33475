/* Code that counts the rounds of its loops and leaves them for a continuation. */
#include "kernel_lib/jit/engine/live_values.h"
#include "kernel_lib/jit/engine/loops.h"
#include "llvm/IR/MDBuilder.h"

using namespace llvm;

namespace {

class Writer {
  public:
    Writer(Function &function, const jit::LoopSymbols &symbols)
        : function(function), symbols(symbols) {}

    /* At the beginning of each round. */
    void add(const jit::LoopHead &head, size_t index) {
        BasicBlock *count = head.block;
        BasicBlock *round = count->splitBasicBlock(count->getFirstInsertionPt());
        BasicBlock *ask = add_block(), *leave = add_block();
        count->getTerminator()->eraseFromParent();
        IRBuilder<> builder(count);
        branch(builder, is_last(builder), ask, round);
        builder.SetInsertPoint(ask);
        Value *code = call_note_rounds(builder, index);
        branch(builder, builder.CreateIsNotNull(code), leave, round);
        builder.SetInsertPoint(leave);
        store_live(builder, head, symbols.live_values);
        continue_in(builder, code);
    }

  private:
    BasicBlock *add_block() { return BasicBlock::Create(function.getContext(), "", &function); }

    /* Counts down; whether that was the last round before it has to ask. */
    Value *is_last(IRBuilder<> &builder) {
        auto *int32 = builder.getInt32Ty();
        Value *rounds = builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), symbols.profile,
                                                           offsetof(jit_function, rounds));
        Value *left =
            builder.CreateSub(builder.CreateLoad(int32, rounds), ConstantInt::get(int32, 1));
        builder.CreateStore(left, rounds);
        return builder.CreateIsNull(left);
    }

    static void branch(IRBuilder<> &builder, Value *condition, BasicBlock *rare,
                       BasicBlock *usual) {
        builder.CreateCondBr(condition, rare, usual,
                             MDBuilder(builder.getContext()).createUnlikelyBranchWeights());
    }

    Value *call_note_rounds(IRBuilder<> &builder, size_t index) {
        Type *int32 = builder.getInt32Ty(), *pointer = builder.getPtrTy();
        auto *type = FunctionType::get(pointer, {pointer, int32}, false);
        return builder.CreateCall(
            type, symbols.note_rounds,
            {symbols.profile, builder.getInt32(static_cast<uint32_t>(index))});
    }

    void continue_in(IRBuilder<> &builder, Value *code) {
        CallInst *result =
            builder.CreateCall(FunctionType::get(function.getReturnType(), false), code);
        result->addRetAttrs({function.getContext(), function.getAttributes().getRetAttrs()});
        if (result->getType()->isVoidTy())
            builder.CreateRetVoid();
        else
            builder.CreateRet(result);
    }

    Function &function;
    const jit::LoopSymbols &symbols;
};

} // namespace

void jit::add_loop_checks(Function &function, const LoopSymbols &symbols) {
    Writer writer(function, symbols);
    for (auto [index, head] : enumerate(loop_heads(function)))
        writer.add(head, index);
}
