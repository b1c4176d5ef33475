/* Interpretable clones of the application's functions. */
#include "kernel_lib/jit/engine/lower.h"
#include "kernel_lib/jit/engine/interpretable.h"
#include "kernel_lib/jit/engine/intrinsics.h"
#include "kernel_lib/jit/engine/loops.h"
#include "llvm/Analysis/ConstantFolding.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/Transforms/Utils/Cloning.h"
#include "llvm/Transforms/Utils/LowerAtomic.h"

using namespace llvm;
using namespace jit;

namespace {

/* What an instruction is replaced by is computed right before it. */
const char *replace_with(Instruction &instruction, Value *value) {
    instruction.replaceAllUsesWith(value);
    instruction.eraseFromParent();
    return nullptr;
}

/* The interpreter reads indexes of 32 and 64 bits. */
void widen_indexes(GetElementPtrInst &address) {
    IRBuilder<> builder(&address);
    for (Use &index : address.indices())
        if (index->getType()->isIntegerTy() && index->getType()->getIntegerBitWidth() < 32)
            index.set(builder.CreateSExt(index, builder.getInt64Ty()));
}

/* For other widths than a pointer's the interpreter leaves rubbish in the upper bits. */
const char *write_out_pointer_bits(PtrToIntInst &cast) {
    IRBuilder<> builder(&cast);
    if (!cast.getType()->isIntegerTy() || cast.getType()->isIntegerTy(64))
        return nullptr;
    Value *bits = builder.CreatePtrToInt(cast.getPointerOperand(), builder.getInt64Ty());
    return replace_with(cast, builder.CreateZExtOrTrunc(bits, cast.getType()));
}

/* The interpreter takes memory from malloc; wide vectors want to begin at rounder addresses. */
const char *align_by_hand(AllocaInst &variable, const DataLayout &layout) {
    uint64_t align = variable.getAlign().value();
    auto size = variable.getAllocationSize(layout);
    if (align <= MALLOC_ALIGNMENT || !size)
        return nullptr;
    IRBuilder<> builder(&variable);
    Value *bytes = builder.CreateAlloca(builder.getInt8Ty(),
                                        builder.getInt32(size->getFixedValue() + align - 1));
    Value *address = builder.CreatePtrToInt(bytes, builder.getInt64Ty());
    address = builder.CreateAdd(address, builder.getInt64(align - 1));
    address = builder.CreateAnd(address, builder.getInt64(-align));
    return replace_with(variable, builder.CreateIntToPtr(address, variable.getType()));
}

float float_of_signed(int64_t value) {
    return static_cast<float>(value);
}
float float_of_unsigned(uint64_t value) {
    return static_cast<float>(value);
}

/* The interpreter would round more than 53 bits twice: to double, then to float. */
const char *write_out_conversion(CastInst &cast, NativeCalls &calls) {
    auto *from = dyn_cast<IntegerType>(cast.getSrcTy());
    if (!from || from->getBitWidth() <= 32 || from->getBitWidth() > 64 ||
        !cast.getDestTy()->isFloatTy())
        return nullptr;
    IRBuilder<> builder(&cast);
    bool is_signed = isa<SIToFPInst>(cast);
    Value *wide = builder.CreateIntCast(cast.getOperand(0), builder.getInt64Ty(), is_signed);
    auto *target = pointer_constant(is_signed ? reinterpret_cast<void *>(float_of_signed)
                                              : reinterpret_cast<void *>(float_of_unsigned),
                                    builder.getPtrTy());
    return replace_with(cast, calls.call(builder, target, builder.getFloatTy(), {wide}));
}

/* After the symbols became addresses most expressions are just numbers. */
void fold_constants(Function &clone) {
    for (Instruction &instruction : instructions(clone))
        for (Use &use : instruction.operands())
            if (auto *expression = dyn_cast<ConstantExpr>(use))
                use.set(ConstantFoldConstant(expression, clone.getDataLayout()));
}

const char *why_not_signature(const Function &function) {
    if (function.isVarArg())
        return "a variable number of arguments";
    if (!function.getReturnType()->isVoidTy() && !is_scalar(function.getReturnType()))
        return "a structure or vector as result";
    for (const Argument &argument : function.args())
        if (!is_scalar(argument.getType()) || argument.hasByValAttr() || argument.hasNestAttr())
            return "a structure or vector as argument";
    return nullptr;
}

} // namespace

Lowering::Lowering(Program &program)
    : program_(program), module_("interpreted", program.context()), calls_(module_) {
    module_.setDataLayout(program.module().getDataLayout());
    module_.setTargetTriple(program.module().getTargetTriple());
}

Function *Lowering::lower(const Function &function, const char **reason) {
    *reason = why_not_signature(function);
    if (*reason)
        return nullptr;
    Function *clone = Function::Create(function.getFunctionType(), GlobalValue::ExternalLinkage,
                                       function.getName(), module_);
    Addresses addresses(
        [this](const GlobalValue &symbol) { return program_.address(symbol.getName()); });
    ValueToValueMapTy map;
    for (unsigned i = 0; i < function.arg_size(); i++)
        map[function.getArg(i)] = clone->getArg(i);
    SmallVector<ReturnInst *, 8> returns;
    CloneFunctionInto(clone, &function, map, CloneFunctionChangeType::DifferentModule, returns, "",
                      nullptr, nullptr, &addresses);
    if (addresses.complete()) {
        add_checks(*clone, program_.find(function));
        *reason = rewrite(*clone);
    } else {
        *reason = "a symbol without an address";
    }
    if (!*reason)
        return clone;
    clone->eraseFromParent();
    return nullptr;
}

void Lowering::add_checks(Function &clone, jit_function *profile) {
    auto *type = PointerType::getUnqual(context());
    auto address = [type](const void *of) { return pointer_constant(of, type); };
    LoopSymbols symbols = {address(profile), address(reinterpret_cast<void *>(jit_note_rounds)),
                           address(live_values)};
    add_loop_checks(clone, symbols);
}

const char *Lowering::rewrite(Function &clone) {
    for (Instruction &instruction : make_early_inc_range(instructions(clone)))
        if (const char *reason = rewrite(instruction))
            return reason;
    fold_constants(clone);
    for (const Instruction &instruction : instructions(clone))
        if (const char *reason = why_not_interpretable(instruction))
            return reason;
    return nullptr;
}

/* Erases at most the instruction itself; what it writes stands before it. */
const char *Lowering::rewrite(Instruction &instruction) {
    switch (instruction.getOpcode()) {
    case Instruction::Call:
        if (auto *intrinsic = dyn_cast<IntrinsicInst>(&instruction))
            return write_out_intrinsic(*intrinsic, calls_, program_) ? nullptr
                                                                     : "an unknown intrinsic";
        return calls_.replace(cast<CallBase>(instruction));
    case Instruction::Alloca:
        return align_by_hand(cast<AllocaInst>(instruction),
                             instruction.getModule()->getDataLayout());
    case Instruction::Freeze: /* what is undefined is 0 there: the same every time */
        return replace_with(instruction, instruction.getOperand(0));
    case Instruction::GetElementPtr:
        widen_indexes(cast<GetElementPtrInst>(instruction));
        return nullptr;
    case Instruction::PtrToInt:
        return write_out_pointer_bits(cast<PtrToIntInst>(instruction));
    case Instruction::SIToFP:
    case Instruction::UIToFP:
        return write_out_conversion(cast<CastInst>(instruction), calls_);
    case Instruction::AtomicRMW: /* there is one thread */
        lowerAtomicRMWInst(cast<AtomicRMWInst>(&instruction));
        return nullptr;
    case Instruction::AtomicCmpXchg:
        lowerAtomicCmpXchgInst(cast<AtomicCmpXchgInst>(&instruction));
        return nullptr;
    case Instruction::Fence:
        instruction.eraseFromParent();
        return nullptr;
    default:
        return nullptr;
    }
}

unsigned jit::loop_depth(const Function &function) {
    DominatorTree dominators(const_cast<Function &>(function));
    LoopInfo loops(dominators);
    unsigned depth = 0;
    for (const BasicBlock &block : function)
        depth = std::max(depth, loops.getLoopDepth(&block));
    return depth;
}
