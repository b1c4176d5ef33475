#include "kernel_lib/jit/export/precompiled.h"
#include "kernel_lib/jit/export/inlining.h"
#include "kernel_lib/jit/export/learnt.h"
#include "llvm/IR/Instructions.h"

using namespace llvm;
using namespace jit;

/* Bytes of a constant whose value is worth knowing. */
constexpr uint64_t MAX_CONSTANT = 4096;

bool jit::is_defined(const GlobalValue &value) {
    return !value.isDeclaration() && !value.hasAvailableExternallyLinkage();
}

bool jit::is_compiled(const Function &function) {
    return is_defined(function) && function.hasFnAttribute(Attribute::Hot);
}

/* Whether the code that the build has compiled may refer to the function. */
static bool is_known_outside(const Function &function) {
    return any_of(function.users(), [](const User *user) {
        const auto *instruction = dyn_cast<Instruction>(user);
        return !instruction || !is_compiled(*instruction->getFunction());
    });
}

/* Hidden: the application's names are not the kernel's. */
static void set_scope(GlobalValue &value, bool is_known) {
    value.setVisibility(GlobalValue::DefaultVisibility);
    value.setLinkage(is_known ? GlobalValue::ExternalLinkage : GlobalValue::InternalLinkage);
    if (is_known)
        value.setVisibility(GlobalValue::HiddenVisibility);
}

static void refer_to(GlobalVariable &variable, const DataLayout &layout) {
    bool keeps_value = variable.isConstant() && variable.hasDefinitiveInitializer() &&
                       layout.getTypeAllocSize(variable.getValueType()) <= MAX_CONSTANT;
    if (!keeps_value)
        variable.setInitializer(nullptr);
    variable.setLinkage(keeps_value ? GlobalValue::AvailableExternallyLinkage
                                    : GlobalValue::ExternalLinkage);
}

void jit::leave_precompiled(Module &module) {
    SmallPtrSet<Function *, 32> parts = choose_inlined(module);
    for (Function &function : module)
        if (is_compiled(function) && function.getName() != APP_MAIN)
            set_scope(function, is_known_outside(function));
    for (Function &function : module) {
        if (!is_defined(function) || is_compiled(function))
            continue;
        if (parts.contains(&function))
            function.setLinkage(GlobalValue::AvailableExternallyLinkage);
        else
            function.deleteBody();
    }
    for (GlobalAlias &alias : module.aliases())
        set_scope(alias, true);
    for (GlobalVariable &variable : module.globals())
        if (variable.hasInitializer() && !variable.hasLocalLinkage() &&
            variable.getName() != MADE_FROM)
            refer_to(variable, module.getDataLayout());
}
