/* Intrinsics as calls of the program's own library. */
#include "kernel_lib/jit/engine/library_functions.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/IRBuilder.h"

using namespace llvm;

namespace {

/* Without the "f" and "l" of those for float and long double. */
constexpr const char *FUNCTIONS[] = {
    "acos", "acosh",  "asin",  "asinh", "atan",  "atan2", "atanh",  "cbrt",  "cos",
    "cosh", "cospi",  "erf",   "erfc",  "exp",   "exp10", "exp2",   "expm1", "fmax",
    "fmin", "hypot",  "log",   "log10", "log1p", "log2",  "lgamma", "pow",   "sin",
    "sinh", "sincos", "sinpi", "tan",   "tanh",  "tgamma"};

struct Replaced {
    Intrinsic::ID intrinsic;
    const char *function;
};

constexpr Replaced REPLACED[] = {
    {Intrinsic::acos, "acos"},   {Intrinsic::asin, "asin"},   {Intrinsic::atan, "atan"},
    {Intrinsic::atan2, "atan2"}, {Intrinsic::cos, "cos"},     {Intrinsic::cosh, "cosh"},
    {Intrinsic::exp, "exp"},     {Intrinsic::exp10, "exp10"}, {Intrinsic::exp2, "exp2"},
    {Intrinsic::log, "log"},     {Intrinsic::log10, "log10"}, {Intrinsic::log2, "log2"},
    {Intrinsic::maxnum, "fmax"}, {Intrinsic::minnum, "fmin"}, {Intrinsic::pow, "pow"},
    {Intrinsic::sin, "sin"},     {Intrinsic::sinh, "sinh"},   {Intrinsic::tan, "tan"},
    {Intrinsic::tanh, "tanh"}};

/* Scalars of this type, that are narrower than a function's, are calculated as float. */
bool is_narrow(const Type *type) {
    return type->isHalfTy() || type->isBFloatTy();
}

/* "f", "" or "l"; nullptr for a type without functions. */
const char *suffix(const Type *type) {
    if (type->isFloatTy())
        return "f";
    if (type->isDoubleTy())
        return "";
    return type->isX86_FP80Ty() ? "l" : nullptr;
}

class Writer {
  public:
    explicit Writer(IntrinsicInst &intrinsic)
        : b_(&intrinsic), i_(intrinsic), module_(*intrinsic.getModule()) {}

    /* What is to take the intrinsic's place, right before it; nullptr: it stays. */
    Value *written_out() {
        Type *type = i_.getType();
        switch (i_.getIntrinsicID()) {
        case Intrinsic::fmuladd:
            return b_.CreateFAdd(b_.CreateFMul(i_.getOperand(0), i_.getOperand(1)),
                                 i_.getOperand(2));
        case Intrinsic::powi:
            return power();
        case Intrinsic::sincos: {
            Value *sine = of_elements("sin"), *cosine = of_elements("cos");
            if (!sine)
                return nullptr;
            Value *both = b_.CreateInsertValue(PoisonValue::get(type), sine, 0);
            return b_.CreateInsertValue(both, cosine, 1);
        }
        default:
            for (Replaced replaced : REPLACED)
                if (i_.getIntrinsicID() == replaced.intrinsic)
                    return of_elements(replaced.function);
            return nullptr;
        }
    }

  private:
    /* The function's results, one for each element of the arguments. */
    Value *of_elements(StringRef name) {
        Type *type = i_.getOperand(0)->getType();
        Type *calculated =
            is_narrow(type->getScalarType()) ? b_.getFloatTy() : type->getScalarType();
        const char *end = suffix(calculated);
        if (!end || isa<ScalableVectorType>(type))
            return nullptr;
        std::vector<Type *> types(i_.arg_size(), calculated);
        FunctionCallee function =
            declared((name + end).str(), FunctionType::get(calculated, types, false));
        return for_elements([&](ArrayRef<Value *> arguments) {
            std::vector<Value *> wide;
            for (Value *argument : arguments)
                wide.push_back(b_.CreateFPCast(argument, calculated));
            return b_.CreateFPCast(b_.CreateCall(function, wide), type->getScalarType());
        });
    }

    Value *for_elements(function_ref<Value *(ArrayRef<Value *>)> calculate) {
        std::vector<Value *> arguments(i_.arg_begin(), i_.arg_end());
        auto *vector = dyn_cast<FixedVectorType>(arguments[0]->getType());
        if (!vector)
            return calculate(arguments);
        Value *result = PoisonValue::get(vector);
        for (unsigned element = 0; element < vector->getNumElements(); element++) {
            std::vector<Value *> parts;
            for (Value *argument : arguments)
                parts.push_back(argument->getType()->isVectorTy()
                                    ? b_.CreateExtractElement(argument, element)
                                    : argument);
            result = b_.CreateInsertElement(result, calculate(parts), element);
        }
        return result;
    }

    /* The operations of the compiler's library, in their order: squares, of which some are
     * multiplied. An exponent that is no constant is left to that library itself. */
    Value *power() {
        Value *base = i_.getOperand(0);
        Type *type = base->getType();
        auto *exponent = dyn_cast<ConstantInt>(i_.getOperand(1));
        if (!exponent || !exponent->getValue().isSignedIntN(32))
            return call_power();
        int64_t given = exponent->getSExtValue();
        Value *result = nullptr;
        for (uint64_t left = given < 0 ? -given : given; left; left >>= 1) {
            if (left & 1)
                result = result ? b_.CreateFMul(result, base) : base;
            if (left > 1)
                base = b_.CreateFMul(base, base);
        }
        if (!result)
            return ConstantFP::get(type, 1.0);
        return given < 0 ? b_.CreateFDiv(ConstantFP::get(type, 1.0), result) : result;
    }

    Value *call_power() {
        Type *type = i_.getOperand(0)->getType()->getScalarType();
        const char *name = type->isFloatTy()      ? "__powisf2"
                           : type->isDoubleTy()   ? "__powidf2"
                           : type->isX86_FP80Ty() ? "__powixf2"
                                                  : nullptr;
        if (!name || !i_.getOperand(1)->getType()->isIntegerTy(32))
            return nullptr;
        FunctionCallee function =
            declared(name, FunctionType::get(type, {type, b_.getInt32Ty()}, false));
        return for_elements(
            [&](ArrayRef<Value *> arguments) { return b_.CreateCall(function, arguments); });
    }

    /* The library's, and none that happens to have its name within one source. */
    FunctionCallee declared(const std::string &name, FunctionType *type) {
        GlobalValue *own = module_.getNamedValue(name);
        if (own && own->hasLocalLinkage())
            own->setName("local." + name);
        return module_.getOrInsertFunction(name, type);
    }

    IRBuilder<> b_;
    IntrinsicInst &i_;
    Module &module_;
};

/* Whether the call may be one of these functions. What a pointer holds, the optimiser may find
 * out. */
bool may_call_library(const CallBase &call) {
    const Function *function = call.getCalledFunction();
    return function ? jit::is_library_function(function->getName()) : !call.isInlineAsm();
}

} // namespace

bool jit::is_library_function(StringRef name) {
    return is_contained(FUNCTIONS, name) ||
           ((name.consume_back("f") || name.consume_back("l")) && is_contained(FUNCTIONS, name));
}

void jit::call_library_functions(Module &module) {
    std::vector<IntrinsicInst *> intrinsics;
    for (Function &function : module)
        for (Instruction &instruction : instructions(function))
            if (auto *intrinsic = dyn_cast<IntrinsicInst>(&instruction))
                intrinsics.push_back(intrinsic);
    for (IntrinsicInst *intrinsic : intrinsics)
        if (Value *value = Writer(*intrinsic).written_out()) {
            intrinsic->replaceAllUsesWith(value);
            intrinsic->eraseFromParent();
        }
    for (Function &function : module)
        for (Instruction &instruction : instructions(function))
            if (auto *call = dyn_cast<CallBase>(&instruction); call && may_call_library(*call))
                call->addFnAttr(Attribute::NoBuiltin);
}
