/* Intrinsics on integers, written out with instructions that the interpreter runs. */
#include "kernel_lib/jit/engine/intrinsics.h"

using namespace llvm;

namespace {

class Integers {
  public:
    Integers(IRBuilderBase &builder, IntrinsicInst &intrinsic)
        : b_(builder), i_(intrinsic), type_(intrinsic.getOperand(0)->getType()) {}

    Value *write_out() {
        switch (i_.getIntrinsicID()) {
        case Intrinsic::smin:
            return choose(CmpInst::ICMP_SLT);
        case Intrinsic::smax:
            return choose(CmpInst::ICMP_SGT);
        case Intrinsic::umin:
            return choose(CmpInst::ICMP_ULT);
        case Intrinsic::umax:
            return choose(CmpInst::ICMP_UGT);
        case Intrinsic::abs:
            return absolute();
        case Intrinsic::ucmp:
            return compare(CmpInst::ICMP_UGT, CmpInst::ICMP_ULT);
        case Intrinsic::scmp:
            return compare(CmpInst::ICMP_SGT, CmpInst::ICMP_SLT);
        case Intrinsic::uadd_sat:
            return add_saturated();
        case Intrinsic::usub_sat:
            return b_.CreateSelect(b_.CreateICmpULT(x(), y()), zero(), b_.CreateSub(x(), y()));
        case Intrinsic::uadd_with_overflow:
            return with_overflow(Instruction::Add, Instruction::ZExt);
        case Intrinsic::sadd_with_overflow:
            return with_overflow(Instruction::Add, Instruction::SExt);
        case Intrinsic::usub_with_overflow:
            return with_overflow(Instruction::Sub, Instruction::ZExt);
        case Intrinsic::ssub_with_overflow:
            return with_overflow(Instruction::Sub, Instruction::SExt);
        case Intrinsic::umul_with_overflow:
            return with_overflow(Instruction::Mul, Instruction::ZExt);
        case Intrinsic::smul_with_overflow:
            return with_overflow(Instruction::Mul, Instruction::SExt);
        case Intrinsic::fshl:
            return funnel_shift(true);
        case Intrinsic::fshr:
            return funnel_shift(false);
        case Intrinsic::bswap:
            return swap_bytes();
        case Intrinsic::ctpop:
            return count_ones(x());
        case Intrinsic::cttz: /* the ones below the lowest one */
            return count_ones(b_.CreateAnd(b_.CreateNot(x()), b_.CreateSub(x(), one())));
        case Intrinsic::ctlz:
            return count_leading_zeros();
        default:
            return nullptr;
        }
    }

  private:
    Value *x() { return i_.getOperand(0); }
    Value *y() { return i_.getOperand(1); }
    Constant *number(uint64_t value) { return ConstantInt::get(type_, value); }
    Constant *zero() { return number(0); }
    Constant *one() { return number(1); }
    unsigned width() const { return type_->getScalarSizeInBits(); }
    /* For results that need twice the bits. */
    Type *wide() const { return type_->getWithNewBitWidth(2 * width()); }

    Value *choose(CmpInst::Predicate first) {
        return b_.CreateSelect(b_.CreateICmp(first, x(), y()), x(), y());
    }

    Value *absolute() {
        return b_.CreateSelect(b_.CreateICmpSLT(x(), zero()), b_.CreateNeg(x()), x());
    }

    Value *compare(CmpInst::Predicate greater, CmpInst::Predicate less) {
        return b_.CreateSub(b_.CreateZExt(b_.CreateICmp(greater, x(), y()), i_.getType()),
                            b_.CreateZExt(b_.CreateICmp(less, x(), y()), i_.getType()));
    }

    Value *add_saturated() {
        Value *sum = b_.CreateAdd(x(), y());
        return b_.CreateSelect(b_.CreateICmpULT(sum, x()), Constant::getAllOnesValue(type_), sum);
    }

    Value *with_overflow(Instruction::BinaryOps operation, Instruction::CastOps extension) {
        if (!type_->isIntegerTy() || width() > 64)
            return nullptr;
        Value *exact = b_.CreateBinOp(operation, b_.CreateCast(extension, x(), wide()),
                                      b_.CreateCast(extension, y(), wide()));
        Value *result = b_.CreateTrunc(exact, type_);
        Value *overflow = b_.CreateICmpNE(b_.CreateCast(extension, result, wide()), exact);
        Value *pair = b_.CreateInsertValue(PoisonValue::get(i_.getType()), result, 0);
        return b_.CreateInsertValue(pair, overflow, 1);
    }

    Value *funnel_shift(bool left) {
        if (width() > 64)
            return nullptr;
        Value *both = b_.CreateOr(b_.CreateShl(b_.CreateZExt(x(), wide()), width()),
                                  b_.CreateZExt(y(), wide()));
        Value *amount = b_.CreateZExt(b_.CreateURem(i_.getOperand(2), number(width())), wide());
        Value *shifted =
            left ? b_.CreateLShr(b_.CreateShl(both, amount), width()) : b_.CreateLShr(both, amount);
        return b_.CreateTrunc(shifted, type_);
    }

    Value *swap_bytes() {
        Value *result = zero();
        for (unsigned from = 0; from < width(); from += 8) {
            Value *byte = b_.CreateAnd(b_.CreateLShr(x(), from), number(0xFF));
            result = b_.CreateOr(result, b_.CreateShl(byte, width() - 8 - from));
        }
        return result;
    }

    /* Adds neighbours, then pairs, then groups of four, ... */
    Value *count_ones(Value *value) {
        if (width() > 64 || !isPowerOf2_32(width()))
            return nullptr;
        for (unsigned group = 1; group < width(); group *= 2) {
            APInt low = APInt::getSplat(width(), APInt::getLowBitsSet(2 * group, group));
            Constant *mask = ConstantInt::get(type_, low);
            value = b_.CreateAdd(b_.CreateAnd(value, mask),
                                 b_.CreateAnd(b_.CreateLShr(value, group), mask));
        }
        return value;
    }

    /* With all bits below the highest one set, the zeros are those above it. */
    Value *count_leading_zeros() {
        Value *value = x();
        for (unsigned distance = 1; distance < width(); distance *= 2)
            value = b_.CreateOr(value, b_.CreateLShr(value, distance));
        return count_ones(b_.CreateNot(value));
    }

    IRBuilderBase &b_;
    IntrinsicInst &i_;
    Type *type_;
};

} // namespace

Value *jit::write_out_integers(IRBuilderBase &builder, IntrinsicInst &intrinsic) {
    if (intrinsic.arg_size() == 0 || !intrinsic.getOperand(0)->getType()->isIntOrIntVectorTy())
        return nullptr;
    return Integers(builder, intrinsic).write_out();
}
