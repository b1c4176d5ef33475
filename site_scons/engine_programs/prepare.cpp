#include "site_scons/engine_programs/prepare.h"
#include "llvm/Transforms/IPO/Internalize.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;
using namespace jit;

/* The linker finds constructors in .init_array, ascending by priority. */
void jit::list_constructors(Bitcode &bitcode) {
    int priority = 0;
    for (Function *constructor : bitcode.constructors)
        appendToGlobalCtors(*bitcode.module, constructor, priority++);
    priority = 0;
    for (Function *destructor : reverse(bitcode.destructors))
        appendToGlobalDtors(*bitcode.module, destructor, priority++);
}

static bool is_public(const GlobalValue &value) {
    return value.getName() == APP_MAIN || value.getName() == MADE_FROM;
}

Expected<Learnt> jit::prepare_application(Bitcode &bitcode, StringRef profile) {
    auto learnt = apply_profile(bitcode, profile);
    if (!learnt)
        return learnt.takeError();
    list_constructors(bitcode);
    internalizeModule(*bitcode.module, is_public);
    return learnt;
}
