/*
 * What LLVM's Interpreter is known to run: by reading llvm/lib/ExecutionEngine/Interpreter, and by
 * tests/engine/test_interpreter.cpp. An instruction that it does not know would be fatal, or
 * silently wrong, since the assertions are compiled out.
 */
#include "kernel_lib/jit/engine/interpretable.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Instructions.h"

using namespace llvm;

namespace {

constexpr unsigned MAX_INTEGER_BITS = 128;

bool is_number(const Type *type) {
    if (auto *integer = dyn_cast<IntegerType>(type))
        return integer->getBitWidth() <= MAX_INTEGER_BITS;
    return type->isFloatTy() || type->isDoubleTy();
}

/* A number, an ordinary pointer, or a vector of numbers. */
bool is_value(const Type *type) {
    if (auto *vector = dyn_cast<FixedVectorType>(type))
        return is_number(vector->getElementType());
    if (auto *pointer = dyn_cast<PointerType>(type))
        return pointer->getAddressSpace() == 0;
    return is_number(type);
}

/* A structure of such, as cmpxchg and the checked additions return it. */
bool is_flat_structure(const Type *type) {
    auto *structure = dyn_cast<StructType>(type);
    return structure && all_of(structure->elements(), is_value);
}

/* Whether memory holds the value as the interpreter thinks: whole bytes an element. */
bool is_value_in_memory(const Type *type) {
    return is_value(type) && (!type->isIntOrIntVectorTy() || type->getScalarSizeInBits() % 8 == 0);
}

/* Constants that it evaluates. */
bool is_plain(const Constant *constant) {
    if (auto *expression = dyn_cast<ConstantExpr>(constant))
        return expression->getOpcode() == Instruction::IntToPtr &&
               isa<ConstantInt>(expression->getOperand(0));
    if (constant->getType()->isVectorTy())
        return isa<UndefValue>(constant) || isa<ConstantAggregateZero>(constant) ||
               isa<ConstantDataVector>(constant) ||
               (isa<ConstantVector>(constant) && all_of(constant->operands(), [](const Use &use) {
                    return isa<ConstantInt>(use) || isa<ConstantFP>(use) || isa<UndefValue>(use);
                }));
    return isa<ConstantInt>(constant) || isa<ConstantFP>(constant) ||
           isa<ConstantPointerNull>(constant) || isa<UndefValue>(constant);
}

const char *why_not_operands(const Instruction &instruction) {
    for (const Value *operand : instruction.operands()) {
        if (isa<BasicBlock>(operand) || isa<Function>(operand))
            continue;
        bool structure = isa<InsertValueInst>(instruction) || isa<ExtractValueInst>(instruction);
        if (!is_value(operand->getType()) && !(structure && is_flat_structure(operand->getType())))
            return "a type that the interpreter lacks";
        auto *constant = dyn_cast<Constant>(operand);
        if (constant && !is_plain(constant))
            return "a constant that the interpreter lacks";
    }
    return nullptr;
}

bool is_index_in_range(const Value *index, const Value *vector) {
    auto *number = dyn_cast<ConstantInt>(index);
    return number &&
           number->getValue().ult(cast<FixedVectorType>(vector->getType())->getNumElements());
}

bool divides(const Type *a, const Type *b) {
    return b->getScalarSizeInBits() % a->getScalarSizeInBits() == 0;
}

/* Of a vector's elements several make one, or the reverse. */
bool is_known_bitcast(const CastInst &cast) {
    const Type *from = cast.getSrcTy(), *to = cast.getDestTy();
    return from == to || (!from->isPointerTy() && (divides(from, to) || divides(to, from)));
}

/* With 64-bit indexes, into structures or memory that is no vector. */
bool is_known_address(const GetElementPtrInst &address) {
    return address.getType()->isPointerTy() && all_of(address.indices(), [](const Use &index) {
               return index->getType()->isIntegerTy(64) || index->getType()->isIntegerTy(32);
           });
}

bool is_known(const Instruction &instruction) {
    switch (instruction.getOpcode()) {
    case Instruction::Alloca:
        return cast<AllocaInst>(instruction).getAlign().value() <= jit::MALLOC_ALIGNMENT;
    case Instruction::Load:
        return is_value_in_memory(instruction.getType());
    case Instruction::Store:
        return is_value_in_memory(instruction.getOperand(0)->getType());
    case Instruction::GetElementPtr:
        return is_known_address(cast<GetElementPtrInst>(instruction));
    case Instruction::BitCast:
        return is_known_bitcast(cast<CastInst>(instruction));
    case Instruction::PtrToInt:
        return instruction.getType()->isIntegerTy(64);
    case Instruction::IntToPtr:
        return instruction.getType()->isPointerTy();
    case Instruction::UIToFP: /* more bits would be rounded twice */
    case Instruction::SIToFP:
        return instruction.getOperand(0)->getType()->getScalarSizeInBits() <= 32 ||
               (instruction.getType()->isDoubleTy() &&
                instruction.getOperand(0)->getType()->isIntegerTy(64));
    case Instruction::ExtractElement:
        return is_index_in_range(instruction.getOperand(1), instruction.getOperand(0));
    case Instruction::InsertElement:
        return is_index_in_range(instruction.getOperand(2), instruction.getOperand(0));
    case Instruction::Call:
        return cast<CallInst>(instruction).getCalledFunction() != nullptr;
    case Instruction::Ret:
    case Instruction::Br:
    case Instruction::Switch:
    case Instruction::Unreachable:
    case Instruction::PHI:
    case Instruction::Select:
    case Instruction::ICmp:
    case Instruction::FCmp:
    case Instruction::ExtractValue:
    case Instruction::InsertValue:
    case Instruction::ShuffleVector:
    case Instruction::Trunc:
    case Instruction::ZExt:
    case Instruction::SExt:
    case Instruction::FPToUI:
    case Instruction::FPToSI:
    case Instruction::FPTrunc:
    case Instruction::FPExt:
        return true;
    default:
        return instruction.isBinaryOp() || instruction.isUnaryOp();
    }
}

} // namespace

const char *jit::why_not_interpretable(const Instruction &instruction) {
    const Type *type = instruction.getType();
    bool structure = isa<InsertValueInst>(instruction) && is_flat_structure(type);
    if (!type->isVoidTy() && !is_value(type) && !structure)
        return "a type that the interpreter lacks";
    if (const char *reason = why_not_operands(instruction))
        return reason;
    return is_known(instruction) ? nullptr : "an instruction that the interpreter lacks";
}
