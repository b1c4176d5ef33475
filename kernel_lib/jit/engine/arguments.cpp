/* Values of the interpreter in registers and stack words. */
#include "kernel_lib/jit/engine/arguments.h"
#include <string.h>

using namespace llvm;
using namespace jit;

namespace {

constexpr size_t INTEGER_REGISTERS = 6, VECTOR_REGISTERS = 8;

bool is_float(const Type *type) {
    return type->isFloatTy() || type->isDoubleTy();
}

/* A scalar as the bits of a register; above the type's own ones they are 0. */
uint64_t to_bits(const Type *type, const GenericValue &value) {
    if (type->isIntegerTy())
        return value.IntVal.getZExtValue();
    uint64_t bits = 0;
    if (type->isFloatTy())
        memcpy(&bits, &value.FloatVal, sizeof value.FloatVal);
    else if (type->isDoubleTy())
        memcpy(&bits, &value.DoubleVal, sizeof value.DoubleVal);
    else
        memcpy(&bits, &value.PointerVal, sizeof value.PointerVal);
    return bits;
}

GenericValue from_bits(const Type *type, uint64_t bits) {
    GenericValue value;
    if (auto *integer = dyn_cast<IntegerType>(type))
        value.IntVal = APInt(integer->getBitWidth(), bits, false, /*implicitTrunc=*/true);
    else if (type->isFloatTy())
        memcpy(&value.FloatVal, &bits, sizeof value.FloatVal);
    else if (type->isDoubleTy())
        memcpy(&value.DoubleVal, &bits, sizeof value.DoubleVal);
    else
        memcpy(&value.PointerVal, &bits, sizeof value.PointerVal);
    return value;
}

} // namespace

void ArgumentWriter::add(const Type *type, const GenericValue &value) {
    uint64_t bits = to_bits(type, value);
    if (is_float(type) && vectors_ < VECTOR_REGISTERS)
        memcpy(registers_.vectors[vectors_++], &bits, sizeof bits);
    else if (!is_float(type) && integers_ < INTEGER_REGISTERS)
        registers_.integers[integers_++] = bits;
    else
        stack_.push_back(bits);
}

void ArgumentWriter::finish() {
    registers_.rax = vectors_;
    registers_.stack = stack_.data();
}

GenericValue ArgumentReader::next(const Type *type) {
    uint64_t bits;
    if (is_float(type) && vectors_ < VECTOR_REGISTERS)
        memcpy(&bits, registers_.vectors[vectors_++], sizeof bits);
    else if (!is_float(type) && integers_ < INTEGER_REGISTERS)
        bits = registers_.integers[integers_++];
    else
        bits = registers_.stack[stack_++];
    return from_bits(type, bits);
}

GenericValue jit::read_result(const struct jit_registers &registers, const Type *type) {
    if (type->isVoidTy())
        return GenericValue();
    return from_bits(type, is_float(type) ? registers.float_result : registers.integer_result);
}

void jit::write_result(struct jit_registers &registers, const Function &function,
                       const GenericValue &value) {
    const Type *type = function.getReturnType();
    if (type->isVoidTy()) {
        registers.integer_result = registers.integers[0]; /* in case it is sret's pointer */
        return;
    }
    uint64_t bits = to_bits(type, value);
    if (type->isIntegerTy() && function.hasRetAttribute(Attribute::SExt))
        bits = static_cast<uint64_t>(value.IntVal.getSExtValue());
    (is_float(type) ? registers.float_result : registers.integer_result) = bits;
}
