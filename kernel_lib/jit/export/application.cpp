#include "kernel_lib/jit/export/application.h"
#include "kernel_lib/jit/engine/bitcode.h"
#include "kernel_lib/jit/engine/passes.h"
#include "kernel_lib/jit/engine/pipeline.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Transforms/IPO/Internalize.h"
#include "llvm/Transforms/Utils/ModuleUtils.h"

using namespace llvm;
using namespace jit;

/* The linker finds constructors in .init_array, ascending by priority. */
static void list_constructors(Bitcode &bitcode) {
    int priority = 0;
    for (Function *constructor : bitcode.constructors)
        appendToGlobalCtors(*bitcode.module, constructor, priority++);
    priority = 0;
    for (Function *destructor : reverse(bitcode.destructors))
        appendToGlobalDtors(*bitcode.module, destructor, priority++);
}

static Expected<SmallVector<char, 0>> generate(TargetMachine &machine, Module &module) {
    SmallVector<char, 0> object;
    raw_svector_ostream stream(object);
    legacy::PassManager passes;
    if (machine.addPassesToEmitFile(passes, stream, nullptr, CodeGenFileType::ObjectFile))
        return createStringError("this target has no code generator");
    passes.run(module);
    return object;
}

static bool is_public(const GlobalValue &value) {
    return value.getName() == "app_main" || value.getName() == MADE_FROM;
}

Expected<CompiledApplication> jit::compile_application(StringRef application, StringRef libc,
                                                       StringRef profile,
                                                       function_ref<bool(StringRef)> exists) {
    LLVMContext context;
    Bitcode bitcode = load_bitcode(context, application, libc);
    Module &module = *bitcode.module;
    auto learnt = apply_profile(bitcode, profile);
    if (!learnt)
        return learnt.takeError();
    list_constructors(bitcode);
    internalizeModule(module, is_public);
    auto machine = make_target_machine(module.getTargetTriple(), JIT_O3, Reloc::Static);
    if (!machine)
        return machine.takeError();
    (*machine)->Options.FunctionSections = (*machine)->Options.DataSections = true;
    module.setDataLayout((*machine)->createDataLayout());
    TargetLibraryInfoImpl library = callable_library(module.getTargetTriple(), exists);
    Passes(**machine, library, Passes::WholeProgram()).run(module);
    auto object = generate(**machine, module);
    if (!object)
        return object.takeError();
    return CompiledApplication{std::move(*object), std::move(*learnt)};
}
