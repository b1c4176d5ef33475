/* Loads and links the embedded bitcode. */
#include "kernel_lib/jit/llvm/bitcode.h"
#include "kernel_lib/jit/llvm/kernel.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace {

std::unique_ptr<Module> checked(Expected<std::unique_ptr<Module>> module, const char *name) {
    if (!module)
        panic("JIT: the bitcode of %s: %s", name, toString(module.takeError()).c_str());
    return std::move(*module);
}

/* `strlen`, an alias of a mangled name, becomes a function with that body. A second alias of the
 * same function becomes a declaration, which the native address satisfies. */
void resolve_aliases(Module &module) {
    for (GlobalAlias &alias : make_early_inc_range(module.aliases())) {
        auto *function = dyn_cast<Function>(alias.getAliaseeObject());
        std::string name = alias.getName().str();
        if (!function) {
            if (!alias.use_empty())
                panic("JIT: bitcode of LLVM-libc: %s is the alias of a variable", name.c_str());
            alias.eraseFromParent();
            continue;
        }
        alias.replaceAllUsesWith(function);
        alias.eraseFromParent();
        if (function->getName().starts_with("_Z"))
            function->setName(name);
    }
}

/* Nothing of LLVM-libc exists twice but constants. Functions with variable arguments cannot be
 * inlined: without their bodies all of printf stays out. */
void make_available_externally(Module &module) {
    for (Function &function : module) {
        if (function.isVarArg() && !function.isDeclaration())
            function.deleteBody();
        if (function.isDeclaration() || function.hasLocalLinkage())
            continue;
        function.setLinkage(GlobalValue::AvailableExternallyLinkage);
        function.setComdat(nullptr);
    }
    for (GlobalVariable &variable : module.globals())
        if (variable.hasInitializer() && !variable.isConstant()) {
            variable.setInitializer(nullptr);
            variable.setLinkage(GlobalValue::ExternalLinkage);
            variable.setComdat(nullptr);
        }
}

/* llvm.used and the like tell a linker what to keep. There is none. */
void drop_linker_lists(Module &module) {
    for (GlobalVariable &variable : make_early_inc_range(module.globals())) {
        if (!variable.hasAppendingLinkage())
            continue;
        if (variable.getName() == "llvm.global_ctors" || variable.getName() == "llvm.global_dtors")
            panic("JIT: the application has constructors: they would not run");
        variable.eraseFromParent();
    }
}

/* Code is compiled function by function, so there is nothing local: each symbol must be found from
 * another module. */
template <typename Symbols> void make_global(Symbols &&symbols) {
    for (GlobalValue &value : symbols) {
        if (value.hasLocalLinkage()) {
            if (!value.hasName())
                value.setName("unnamed");
            value.setLinkage(GlobalValue::ExternalLinkage);
        }
        if (auto *object = dyn_cast<GlobalObject>(&value))
            object->setComdat(nullptr);
    }
}

} // namespace

std::unique_ptr<Module> jit::load_bitcode(LLVMContext &context, StringRef application,
                                          StringRef libc, std::vector<Function *> &functions) {
    const char *application_name = "the application", *libc_name = "LLVM-libc";
    std::unique_ptr<Module> module =
        checked(parseBitcodeFile(MemoryBufferRef(application, application_name), context),
                application_name);
    /* Of this one only the functions that are linked are read. */
    std::unique_ptr<Module> library =
        checked(getLazyBitcodeModule(MemoryBufferRef(libc, libc_name), context), libc_name);
    for (Function &function : *module)
        if (!function.isDeclaration())
            functions.push_back(&function);
    drop_linker_lists(*module);
    drop_linker_lists(*library);
    resolve_aliases(*module);
    resolve_aliases(*library);
    make_available_externally(*library);
    if (Linker::linkModules(*module, std::move(library), Linker::LinkOnlyNeeded))
        panic("JIT: the bitcode of LLVM-libc does not fit the application's");
    for (Function &function : *module)
        if (function.hasLocalLinkage() && !is_contained(functions, &function))
            function.setLinkage(GlobalValue::AvailableExternallyLinkage);
    make_global(module->functions());
    make_global(module->globals());
    return module;
}
