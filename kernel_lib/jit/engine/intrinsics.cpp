/* Intrinsics written out: those without effect, on memory and on floats. */
#include "kernel_lib/jit/engine/intrinsics.h"
#include "llvm/IR/IntrinsicsX86.h"
#include <emmintrin.h>

using namespace llvm;
using namespace jit;

namespace {

/* As compiled code computes them. */
float square_root_float(float x) {
    return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
}
double square_root_double(double x) {
    __m128d v = _mm_set_sd(x);
    return _mm_cvtsd_f64(_mm_sqrt_sd(v, v));
}

uint64_t read_tsc() {
    return cpu_rdtsc();
}

[[noreturn]] void trap() {
    panic("the application executed a trap");
}

class Writer {
  public:
    Writer(IntrinsicInst &intrinsic, NativeCalls &calls, Program &program)
        : b_(&intrinsic), i_(intrinsic), calls_(calls), program_(program) {}

    bool write_out() {
        if (has_no_effect())
            return true;
        Value *value = write_out_value();
        if (!value)
            return false;
        if (!i_.getType()->isVoidTy())
            i_.replaceAllUsesWith(value);
        return true;
    }

  private:
    /* Hints for the optimiser; what they return must not be used. */
    bool has_no_effect() const {
        switch (i_.getIntrinsicID()) {
        case Intrinsic::lifetime_start:
        case Intrinsic::lifetime_end:
        case Intrinsic::invariant_start:
        case Intrinsic::invariant_end:
        case Intrinsic::assume:
        case Intrinsic::donothing:
        case Intrinsic::sideeffect:
        case Intrinsic::prefetch:
        case Intrinsic::experimental_noalias_scope_decl:
        case Intrinsic::dbg_declare:
        case Intrinsic::dbg_value:
        case Intrinsic::dbg_label:
            return i_.use_empty();
        default:
            return false;
        }
    }

    /* nullptr when it is not known; for void any value. */
    Value *write_out_value() {
        switch (i_.getIntrinsicID()) {
        case Intrinsic::expect:
        case Intrinsic::expect_with_probability:
        case Intrinsic::launder_invariant_group:
        case Intrinsic::strip_invariant_group:
        case Intrinsic::arithmetic_fence:
            return i_.getOperand(0);
        case Intrinsic::is_constant:
            return b_.getFalse();
        case Intrinsic::objectsize: /* unknown: the least, or the most */
            return cast<ConstantInt>(i_.getOperand(1))->isZero()
                       ? Constant::getAllOnesValue(i_.getType())
                       : Constant::getNullValue(i_.getType());
        case Intrinsic::memcpy:
        case Intrinsic::memcpy_inline:
            return call_memory("memcpy", b_.getPtrTy());
        case Intrinsic::memmove:
            return call_memory("memmove", b_.getPtrTy());
        case Intrinsic::memset:
        case Intrinsic::memset_inline:
            return call_memory("memset", b_.getInt32Ty());
        case Intrinsic::trap:
        case Intrinsic::debugtrap:
        case Intrinsic::ubsantrap:
            return call(reinterpret_cast<void *>(trap), b_.getVoidTy(), {});
        case Intrinsic::x86_rdtsc:
            return call(reinterpret_cast<void *>(read_tsc), b_.getInt64Ty(), {});
        case Intrinsic::fabs:
            return b_.CreateBitCast(b_.CreateAnd(bits(0), sign_mask(false)), i_.getType());
        case Intrinsic::copysign:
            return b_.CreateBitCast(b_.CreateOr(b_.CreateAnd(bits(0), sign_mask(false)),
                                                b_.CreateAnd(bits(1), sign_mask(true))),
                                    i_.getType());
        default:
            if (Value *value = call_mathematics())
                return value;
            return write_out_integers(b_, i_);
        }
    }

    Value *call(void *target, Type *result, ArrayRef<Value *> arguments) {
        if (!target)
            return nullptr;
        return calls_.call(b_, pointer_constant(target, b_.getPtrTy()), result, arguments);
    }

    /* Destination, source or value, size. */
    Value *call_memory(const char *name, Type *second_type) {
        Value *second = i_.getOperand(1), *size = i_.getOperand(2);
        if (i_.getOperand(0)->getType() != b_.getPtrTy())
            return nullptr; /* another address space */
        if (second_type->isIntegerTy())
            second = b_.CreateZExt(second, second_type);
        size = b_.CreateZExtOrTrunc(size, b_.getInt64Ty());
        return call(program_.address(name), b_.getPtrTy(), {i_.getOperand(0), second, size});
    }

    /* What code generation calls a function for, or has an instruction. */
    Value *call_mathematics() {
        Type *type = i_.getType();
        bool is_float = type->isFloatTy();
        if ((!is_float && !type->isDoubleTy()) ||
            !all_of(i_.args(), [type](const Use &use) { return use->getType() == type; }))
            return nullptr;
        std::vector<Value *> arguments(i_.arg_begin(), i_.arg_end());
        if (i_.getIntrinsicID() == Intrinsic::sqrt)
            return call(is_float ? reinterpret_cast<void *>(square_root_float)
                                 : reinterpret_cast<void *>(square_root_double),
                        type, arguments);
        const char *name = mathematics();
        return name ? call(program_.address(std::string(name) + (is_float ? "f" : "")), type,
                           arguments)
                    : nullptr;
    }

    const char *mathematics() const {
        switch (i_.getIntrinsicID()) {
        case Intrinsic::sin:
            return "sin";
        case Intrinsic::cos:
            return "cos";
        case Intrinsic::exp:
            return "exp";
        case Intrinsic::exp2:
            return "exp2";
        case Intrinsic::log:
            return "log";
        case Intrinsic::log2:
            return "log2";
        case Intrinsic::pow:
            return "pow";
        case Intrinsic::floor:
            return "floor";
        case Intrinsic::ceil:
            return "ceil";
        case Intrinsic::trunc:
            return "trunc";
        case Intrinsic::round:
            return "round";
        default:
            return nullptr;
        }
    }

    /* A float, double or vector of them as integers. */
    Type *bits_type() {
        Type *type = i_.getType();
        return type->getWithNewType(b_.getIntNTy(type->getScalarSizeInBits()));
    }
    Value *bits(unsigned operand) { return b_.CreateBitCast(i_.getOperand(operand), bits_type()); }
    Constant *sign_mask(bool sign) {
        unsigned width = i_.getType()->getScalarSizeInBits();
        APInt mask = APInt::getSignMask(width);
        return ConstantInt::get(bits_type(), sign ? mask : ~mask);
    }

    IRBuilder<> b_;
    IntrinsicInst &i_;
    NativeCalls &calls_;
    Program &program_;
};

} // namespace

bool jit::write_out_intrinsic(IntrinsicInst &intrinsic, NativeCalls &calls, Program &program) {
    if (!Writer(intrinsic, calls, program).write_out())
        return false;
    intrinsic.eraseFromParent();
    return true;
}
