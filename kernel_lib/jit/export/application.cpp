#include "kernel_lib/jit/export/application.h"
#include "kernel_lib/jit/engine/passes.h"
#include "kernel_lib/jit/engine/pipeline.h"
#include "kernel_lib/jit/export/precompiled.h"
#include "llvm/IR/LegacyPassManager.h"

using namespace llvm;
using namespace jit;

static Expected<SmallVector<char, 0>> generate(TargetMachine &machine, Module &module) {
    SmallVector<char, 0> object;
    raw_svector_ostream stream(object);
    legacy::PassManager passes;
    if (machine.addPassesToEmitFile(passes, stream, nullptr, CodeGenFileType::ObjectFile))
        return createStringError("this target has no code generator");
    passes.run(module);
    return object;
}

Expected<CompiledApplication> jit::compile_application(StringRef application, StringRef libc,
                                                       StringRef profile,
                                                       function_ref<bool(StringRef)> exists,
                                                       jit_go_on *go_on) {
    LLVMContext context;
    Bitcode bitcode = load_bitcode(context, application, libc);
    Module &module = *bitcode.module;
    auto learnt = apply_profile(bitcode, profile);
    if (!learnt)
        return learnt.takeError();
    leave_precompiled(module);
    auto machine = make_target_machine(module.getTargetTriple(), JIT_O3, Reloc::Static);
    if (!machine)
        return machine.takeError();
    (*machine)->Options.FunctionSections = (*machine)->Options.DataSections = true;
    module.setDataLayout((*machine)->createDataLayout());
    TargetLibraryInfoImpl library = callable_library(module.getTargetTriple(), exists);
    Passes(**machine, library, Passes::ManyFunctions{go_on}).run(module);
    if (!go_on())
        return createStringError(JIT_GIVEN_UP);
    auto compiled = static_cast<size_t>(count_if(module, is_defined));
    auto object = generate(**machine, module);
    if (!object)
        return object.takeError();
    return CompiledApplication{std::move(*object), std::move(*learnt), compiled};
}
