/* Calls from the interpreter to code outside it. */
#include "kernel_lib/jit/engine/native_call.h"
#include "kernel_lib/jit/engine/arguments.h"
#include "kernel_lib/jit/engine/enter.h"
#include "kernel_lib/jit/engine/globals.h"
#include "kernel_lib/jit/engine/kernel.h"
#include "llvm/ExecutionEngine/GenericValue.h"
#include "llvm/IR/InlineAsm.h"
#include "llvm/Support/DynamicLibrary.h"

using namespace llvm;
using namespace jit;

bool jit::is_scalar(const Type *type) {
    if (auto *integer = dyn_cast<IntegerType>(type))
        return integer->getBitWidth() <= 64;
    return type->isFloatTy() || type->isDoubleTy() || type->isPointerTy();
}

/* What the interpreter calls for all external functions: the first argument is the target. */
static GenericValue call_native(FunctionType *type, ArrayRef<GenericValue> values) {
    struct jit_registers registers = {};
    ArgumentWriter writer(registers);
    for (unsigned i = 1; i < values.size(); i++)
        writer.add(type->getParamType(i), values[i]);
    writer.finish();
    jit_call(&registers, GVTOP(values[0]), writer.stack_words());
    return read_result(registers, type->getReturnType());
}

/* The interpreter looks external functions up by their names, with this prefix for those that take
 * its own kind of values (llvm/lib/ExecutionEngine/Interpreter/ExternalFunctions.cpp). */
Function *NativeCalls::external(FunctionType *type) {
    Function *&function = externals_[type];
    if (!function) {
        function = Function::Create(type, GlobalValue::ExternalLinkage, "jit_call", module_);
        sys::DynamicLibrary::AddSymbol(("lle_X_" + function->getName()).str(),
                                       reinterpret_cast<void *>(call_native));
    }
    return function;
}

/* Integers of less than 64 bits are widened: the interpreter would leave rubbish in the upper bits
 * of results, and the convention wants bool, char and short extended to int. */
Value *NativeCalls::call(IRBuilderBase &builder, Value *target, Type *result,
                         ArrayRef<Value *> arguments) {
    std::vector<Value *> values = {target};
    std::vector<Type *> types = {target->getType()};
    for (Value *value : arguments) {
        if (value->getType()->isIntegerTy())
            value = builder.CreateZExt(value, builder.getInt64Ty());
        values.push_back(value);
        types.push_back(value->getType());
    }
    Type *returned = result->isIntegerTy() ? builder.getInt64Ty() : result;
    Value *call = builder.CreateCall(external(FunctionType::get(returned, types, false)), values);
    return result->isIntegerTy() ? builder.CreateTrunc(call, result) : call;
}

static const char *why_not(const CallBase &call) {
    if (call.isInlineAsm())
        return "inline assembly"; /* that replace_assembly does not know */
    if (!isa<CallInst>(call) || cast<CallInst>(call).isMustTailCall() || call.hasOperandBundles())
        return "an unusual kind of call";
    /* The second time, to a frame of the interpreter that is gone. */
    if (call.hasFnAttr(Attribute::ReturnsTwice))
        return "a call that returns twice, such as setjmp";
    CallingConv::ID convention = call.getCallingConv();
    if (convention != CallingConv::C && convention != CallingConv::Fast &&
        convention != CallingConv::Cold) /* the three are the same on x86-64 */
        return "an unusual calling convention";
    if (!call.getType()->isVoidTy() && !is_scalar(call.getType()))
        return "a call that returns a structure or vector";
    for (unsigned i = 0; i < call.arg_size(); i++)
        if (!is_scalar(call.getArgOperand(i)->getType()) ||
            call.paramHasAttr(i, Attribute::ByVal) || call.paramHasAttr(i, Attribute::Nest))
            return "a call with a structure or vector as argument";
    return nullptr;
}

/* Empty assembly, which keeps the optimiser from seeing a value. */
bool NativeCalls::replace_assembly(CallBase &original) {
    auto *assembly = dyn_cast<InlineAsm>(original.getCalledOperand());
    if (!assembly || assembly->getAsmString() != "")
        return false;
    StringRef operands = assembly->getConstraintString();
    if (operands.starts_with("=r,0,~") || operands.starts_with("=x,0,~"))
        original.replaceAllUsesWith(original.getArgOperand(0));
    else if (!operands.starts_with("~") || !original.arg_empty())
        return false;
    original.eraseFromParent();
    return true;
}

const char *NativeCalls::replace(CallBase &original) {
    if (replace_assembly(original))
        return nullptr;
    if (const char *reason = why_not(original))
        return reason;
    IRBuilder<> builder(&original);
    std::vector<Value *> arguments;
    for (unsigned i = 0; i < original.arg_size(); i++) {
        Value *value = original.getArgOperand(i);
        if (value->getType()->isIntegerTy() && original.paramHasAttr(i, Attribute::SExt))
            value = builder.CreateSExt(value, builder.getInt64Ty());
        arguments.push_back(value);
    }
    Value *result = call(builder, original.getCalledOperand(), original.getType(), arguments);
    if (!original.getType()->isVoidTy())
        original.replaceAllUsesWith(result);
    original.eraseFromParent();
    return nullptr;
}
