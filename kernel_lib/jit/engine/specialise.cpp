#include "kernel_lib/jit/engine/specialise.h"
#include "kernel_lib/jit/engine/entry.h"
#include "kernel_lib/jit/engine/profiled_arguments.h"
#include "llvm/IR/IRBuilder.h"

namespace jit {

using llvm::BasicBlock;
using llvm::Function;
using llvm::IRBuilder;

namespace {

/* The tuples, the most frequent first: they are compared with one after the other. */
llvm::SmallVector<const jit_tuple *, JIT_TUPLES> in_order(const jit_function &profile) {
    llvm::SmallVector<const jit_tuple *, JIT_TUPLES> tuples;
    for (unsigned i = 0; i < profile.tuple_count; i++)
        tuples.push_back(&profile.tuples[i]);
    llvm::sort(tuples, [](const jit_tuple *a, const jit_tuple *b) {
        return a->calls > b->calls || (a->calls == b->calls && a < b);
    });
    return tuples;
}

llvm::Constant *constant(const llvm::Argument &argument, uint64_t value) {
    unsigned bits = argument.getType()->getIntegerBitWidth();
    return llvm::ConstantInt::get(argument.getType(), llvm::APInt(64, value).trunc(bits));
}

} // namespace

Function &specialise(Extraction &extraction, const Function &original, Function &general,
                     const jit_function &profile) {
    auto tuples = in_order(profile);
    if (tuples.empty() || profile.arguments == 0)
        return general;
    Function *choose = make_like(general, "jit_choose");
    choose->addFnAttr(llvm::Attribute::AlwaysInline);
    auto arguments = profiled_arguments(*choose);
    arguments.truncate(std::min<size_t>(arguments.size(), profile.arguments));
    llvm::LLVMContext &context = choose->getContext();
    auto *block = BasicBlock::Create(context, "", choose);
    for (auto [index, tuple] : llvm::enumerate(tuples)) {
        llvm::SmallVector<llvm::Constant *, 8> values(choose->arg_size());
        IRBuilder<> builder(block);
        llvm::Value *fits = builder.getTrue();
        for (auto [i, argument] : llvm::enumerate(arguments)) {
            llvm::Constant *value = constant(*argument, tuple->values[i]);
            values[argument->getArgNo()] = value;
            fits = builder.CreateAnd(fits, builder.CreateICmpEQ(argument, value));
        }
        Function &copy = extraction.copy(original, "jit_copy" + llvm::Twine(index), values);
        copy.removeFnAttr(llvm::Attribute::AlwaysInline);
        copy.addFnAttr(llvm::Attribute::NoInline);
        auto *found = BasicBlock::Create(context, "", choose);
        block = BasicBlock::Create(context, "", choose);
        builder.CreateCondBr(fits, found, block);
        jump_to(copy, found);
    }
    jump_to(general, block);
    return *choose;
}

} // namespace jit
