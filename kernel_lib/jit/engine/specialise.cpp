#include "kernel_lib/jit/engine/specialise.h"
#include "kernel_lib/jit/engine/entry.h"
#include "kernel_lib/jit/engine/profiled_arguments.h"
#include "llvm/IR/IRBuilder.h"

namespace jit {

using llvm::BasicBlock;
using llvm::Function;
using llvm::IRBuilder;

namespace {

/* The most frequent values first: they are compared with one after the other. */
llvm::SmallVector<const jit_argument_values *, JIT_FREQUENT>
in_order(const jit_value_profile &profile) {
    llvm::SmallVector<const jit_argument_values *, JIT_FREQUENT> sorted;
    for (unsigned i = 0; i < profile.count; i++)
        sorted.push_back(&profile.frequent[i]);
    llvm::sort(sorted, [](const jit_argument_values *a, const jit_argument_values *b) {
        return a->calls > b->calls || (a->calls == b->calls && a < b);
    });
    return sorted;
}

llvm::Constant *constant(const llvm::Argument &argument, uint64_t value) {
    unsigned bits = argument.getType()->getIntegerBitWidth();
    return llvm::ConstantInt::get(argument.getType(), llvm::APInt(64, value).trunc(bits));
}

} // namespace

Function &specialise(Function &general, const jit_value_profile &profile, MakeClone make_clone) {
    auto frequent = in_order(profile);
    if (frequent.empty() || profile.arguments == 0)
        return general;
    Function *choose = make_like(general, "jit_choose");
    choose->addFnAttr(llvm::Attribute::AlwaysInline);
    auto arguments = profiled_arguments(*choose);
    arguments.truncate(std::min<size_t>(arguments.size(), profile.arguments));
    llvm::LLVMContext &context = choose->getContext();
    auto *block = BasicBlock::Create(context, "", choose);
    for (auto [index, known] : llvm::enumerate(frequent)) {
        llvm::SmallVector<llvm::Constant *, 8> values(choose->arg_size());
        IRBuilder<> builder(block);
        llvm::Value *fits = builder.getTrue();
        for (auto [i, argument] : llvm::enumerate(arguments)) {
            llvm::Constant *value = constant(*argument, known->values[i]);
            values[argument->getArgNo()] = value;
            fits = builder.CreateAnd(fits, builder.CreateICmpEQ(argument, value));
        }
        Function &clone = make_clone("jit_clone" + llvm::Twine(index), values);
        clone.removeFnAttr(llvm::Attribute::AlwaysInline);
        clone.addFnAttr(llvm::Attribute::NoInline);
        auto *found = BasicBlock::Create(context, "", choose);
        block = BasicBlock::Create(context, "", choose);
        builder.CreateCondBr(fits, found, block);
        jump_to(clone, found);
    }
    jump_to(general, block);
    return *choose;
}

} // namespace jit
