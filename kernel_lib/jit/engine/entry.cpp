#include "kernel_lib/jit/engine/entry.h"
#include "kernel_lib/jit/engine/linker.h"
#include "kernel_lib/jit/engine/profiled_arguments.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/IR/Module.h"

namespace jit {

using llvm::BasicBlock;
using llvm::CallInst;
using llvm::Function;
using llvm::GlobalValue;
using llvm::IRBuilder;
using llvm::Value;

Function *make_like(const Function &body, const llvm::Twine &name) {
    auto *made = Function::Create(body.getFunctionType(), GlobalValue::InternalLinkage,
                                  body.getAddressSpace(), name,
                                  const_cast<llvm::Module *>(body.getParent()));
    made->setCallingConv(body.getCallingConv());
    llvm::AttributeList attributes = body.getAttributes();
    llvm::AttrBuilder kept(body.getContext());
    for (const char *about_processor : {"target-cpu", "target-features", "tune-cpu"})
        if (body.hasFnAttribute(about_processor))
            kept.addAttribute(body.getFnAttribute(about_processor));
    for (auto kind : {llvm::Attribute::NoRedZone, llvm::Attribute::NoUnwind})
        if (body.hasFnAttribute(kind))
            kept.addAttribute(kind);
    made->setAttributes(
        attributes.removeFnAttributes(body.getContext()).addFnAttributes(body.getContext(), kept));
    return made;
}

namespace {

CallInst *call(Function &function, IRBuilder<> &builder) {
    llvm::SmallVector<Value *, 8> arguments;
    for (llvm::Argument &argument : builder.GetInsertBlock()->getParent()->args())
        arguments.push_back(&argument);
    CallInst *made = builder.CreateCall(&function, arguments);
    made->setCallingConv(function.getCallingConv());
    made->setAttributes(function.getAttributes().removeFnAttributes(function.getContext()));
    return made;
}

void return_result(CallInst *result, IRBuilder<> &builder) {
    if (result->getType()->isVoidTy())
        builder.CreateRetVoid();
    else
        builder.CreateRet(result);
}

/* Writes the code of a function of body's type that counts and times calls of body. */
class Writer {
  public:
    Writer(Function &body, jit_level level, const char *name)
        : body(body), level(level), made(make_like(body, name)),
          builder(BasicBlock::Create(body.getContext(), "", made)),
          here(body.getParent()->getOrInsertGlobal(PROFILE_SYMBOL, builder.getInt8Ty())) {}

    Function *function() const { return made; }
    BasicBlock *add_block() { return BasicBlock::Create(made->getContext(), "", made); }
    void go_on_in(BasicBlock *block) { builder.SetInsertPoint(block); }
    void jump(BasicBlock *block) { builder.CreateBr(block); }
    void branch(Value *condition, BasicBlock *yes, BasicBlock *no) {
        builder.CreateCondBr(condition, yes, no,
                             llvm::MDBuilder(made->getContext()).createUnlikelyBranchWeights());
    }
    CallInst *call_body() { return call(body, builder); }
    void end(CallInst *result) { return_result(result, builder); }

    /* Counts the call; whether it is one to be timed. */
    Value *count() {
        auto *int64 = builder.getInt64Ty(), *int32 = builder.getInt32Ty();
        Value *calls = field(offsetof(jit_function, calls));
        Value *number = builder.CreateAdd(builder.CreateLoad(int64, calls), builder.getInt64(1));
        builder.CreateStore(number, calls);
        Value *mask = builder.CreateLoad(int32, field(offsetof(jit_function, sample_mask)));
        return builder.CreateIsNull(builder.CreateAnd(builder.CreateTrunc(number, int32), mask));
    }

    /* Before the call of body; the time. */
    Value *begin_timing() {
        note_arguments();
        return cycles();
    }

    void end_timing(Value *begin) {
        Value *end = cycles();
        auto note = body.getParent()->getOrInsertFunction("jit_note_call", builder.getVoidTy(),
                                                          builder.getPtrTy(), builder.getInt32Ty(),
                                                          builder.getInt64Ty());
        builder.CreateCall(note, {here, builder.getInt32(level), builder.CreateSub(end, begin)});
    }

    /* The time that begin_timing() gave, or nothing when control came from the other block. */
    Value *either(Value *time, BasicBlock *timed, BasicBlock *other) {
        auto *begin = builder.CreatePHI(builder.getInt64Ty(), 2);
        begin->addIncoming(time, timed);
        begin->addIncoming(builder.getInt64(0), other);
        return begin;
    }

  private:
    Value *field(size_t offset) {
        return builder.CreateConstInBoundsGEP1_64(builder.getInt8Ty(), here, offset);
    }

    Value *cycles() {
        return builder.CreateIntrinsic(builder.getInt64Ty(), llvm::Intrinsic::readcyclecounter,
                                       llvm::ArrayRef<Value *>());
    }

    void note_arguments() {
        auto noted = profiled_arguments(*made);
        auto *type = llvm::ArrayType::get(builder.getInt64Ty(), noted.size());
        BasicBlock &first = made->getEntryBlock();
        Value *values = IRBuilder<>(&first, first.begin()).CreateAlloca(type);
        for (auto [index, argument] : llvm::enumerate(noted))
            builder.CreateStore(builder.CreateZExt(argument, builder.getInt64Ty()),
                                builder.CreateConstInBoundsGEP2_64(type, values, 0, index));
        auto note = body.getParent()->getOrInsertFunction("jit_note_arguments", builder.getVoidTy(),
                                                          builder.getPtrTy(), builder.getPtrTy());
        builder.CreateCall(note, {here, values});
    }

    Function &body;
    jit_level level;
    Function *made;
    IRBuilder<> builder;
    Value *here; /* the profile, for the code */
};

/* A function that always times. */
Function &add_timed(Function &body, jit_level level) {
    Writer timed(body, level, "jit_timed");
    timed.function()->addFnAttr(llvm::Attribute::NoInline);
    timed.function()->addFnAttr(llvm::Attribute::Cold);
    timed.function()->addFnAttr("frame-pointer", "all");
    Value *begin = timed.begin_timing();
    CallInst *result = timed.call_body();
    timed.end_timing(begin);
    timed.end(result);
    return *timed.function();
}

/* For fast code: what is timed is apart, so that the usual way, which has nothing to keep, needs no
 * stack frame. */
Function *add_jumping_entry(Function &body, jit_level level) {
    Writer entry(body, level, ENTRY_SYMBOL);
    Value *is_timed = entry.count();
    BasicBlock *timed = entry.add_block(), *untimed = entry.add_block();
    entry.branch(is_timed, timed, untimed);
    jump_to(add_timed(body, level), timed);
    jump_to(body, untimed);
    return entry.function();
}

/* To be compiled fast: one function with all in it. */
Function *add_simple_entry(Function &body, jit_level level) {
    body.removeFnAttr(llvm::Attribute::NoInline);
    body.addFnAttr(llvm::Attribute::AlwaysInline);
    Writer entry(body, level, ENTRY_SYMBOL);
    entry.function()->addFnAttr("frame-pointer", "all");
    BasicBlock *first = &entry.function()->getEntryBlock();
    BasicBlock *before = entry.add_block(), *run = entry.add_block();
    BasicBlock *after = entry.add_block(), *last = entry.add_block();
    Value *is_timed = entry.count();
    entry.branch(is_timed, before, run);
    entry.go_on_in(before);
    Value *time = entry.begin_timing();
    entry.jump(run);
    entry.go_on_in(run);
    Value *begin = entry.either(time, before, first);
    CallInst *result = entry.call_body();
    entry.branch(is_timed, after, last);
    entry.go_on_in(after);
    entry.end_timing(begin);
    entry.jump(last);
    entry.go_on_in(last);
    entry.end(result);
    return entry.function();
}

/* What a function with variable arguments is called with can be passed on by a jump only, so it is
 * never timed. */
Function *add_counting_entry(Function &body, jit_level level) {
    Writer entry(body, level, ENTRY_SYMBOL);
    if (level == JIT_O0) /* which keeps its arguments in memory meanwhile */
        entry.function()->addFnAttr("frame-pointer", "all");
    entry.count();
    jump_to(body, &entry.function()->getEntryBlock());
    return entry.function();
}

} // namespace

void jump_to(Function &function, BasicBlock *block) {
    IRBuilder<> builder(block);
    CallInst *jump = call(function, builder);
    jump->setTailCallKind(CallInst::TCK_MustTail);
    return_result(jump, builder);
}

void add_entry(Function &body, jit_level level) {
    auto *add = body.isVarArg()   ? add_counting_entry
                : level == JIT_O0 ? add_simple_entry
                                  : add_jumping_entry;
    add(body, level)->setLinkage(GlobalValue::ExternalLinkage);
}

void add_jump(Function &continuation) {
    Function *entry = make_like(continuation, ENTRY_SYMBOL);
    entry->setLinkage(GlobalValue::ExternalLinkage);
    jump_to(continuation, BasicBlock::Create(entry->getContext(), "", entry));
}

} // namespace jit
