/* Loads and links the embedded bitcode. */
#include "kernel_lib/jit/engine/bitcode.h"
#include "kernel_lib/jit/engine/kernel.h"
#include "kernel_lib/jit/engine/library_functions.h"
#include "kernel_lib/jit/engine/plain.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/Constants.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;

namespace {

std::unique_ptr<Module> checked(Expected<std::unique_ptr<Module>> module, const char *name) {
    if (!module)
        panic("JIT: the bitcode of %s: %s", name, toString(module.takeError()).c_str());
    return std::move(*module);
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

/* The functions of llvm.global_ctors or llvm.global_dtors, by ascending priority. */
std::vector<Function *> by_priority(const Module &module, StringRef list) {
    const GlobalVariable *variable = module.getNamedGlobal(list);
    auto *rows = variable && variable->hasInitializer()
                     ? dyn_cast<ConstantArray>(variable->getInitializer())
                     : nullptr;
    std::vector<std::pair<uint64_t, Function *>> found;
    for (unsigned i = 0; rows && i < rows->getNumOperands(); i++) {
        auto *row = cast<ConstantStruct>(rows->getOperand(i));
        if (auto *function = dyn_cast<Function>(row->getOperand(1)->stripPointerCasts()))
            found.emplace_back(cast<ConstantInt>(row->getOperand(0))->getZExtValue(), function);
    }
    stable_sort(found, less_first());
    std::vector<Function *> functions;
    for (auto [priority, function] : found)
        functions.push_back(function);
    return functions;
}

/* llvm.used and the like tell a linker what to keep. There is none. LLVM-libc's own constructors
 * run natively. */
void drop_linker_lists(Module &module) {
    for (GlobalVariable &variable : make_early_inc_range(module.globals()))
        if (variable.hasAppendingLinkage())
            variable.eraseFromParent();
}

/* There is no dynamic linker that would fill a table of addresses to call through. */
void call_directly(Module &module) {
    for (Function &function : module)
        if (function.hasFnAttribute(Attribute::NonLazyBind))
            function.removeFnAttr(Attribute::NonLazyBind);
}

/* How names begin that the assembler keeps within one object. */
constexpr char ASSEMBLERS_OWN[] = ".L";

/* Code is compiled function by function, so there is nothing local: each symbol must be found from
 * another module. */
template <typename Symbols> void make_global(Symbols &&symbols) {
    for (GlobalValue &value : symbols) {
        if (value.hasLocalLinkage()) {
            if (!value.hasName() || value.getName().starts_with(ASSEMBLERS_OWN))
                value.setName("unnamed");
            value.setLinkage(GlobalValue::ExternalLinkage);
        }
        if (auto *object = dyn_cast<GlobalObject>(&value))
            object->setComdat(nullptr);
    }
}

} // namespace

jit::Bitcode jit::load_bitcode(LLVMContext &context, StringRef application, StringRef libc,
                               bool made_elsewhere) {
    const char *application_name = "the application", *libc_name = "LLVM-libc";
    Bitcode loaded;
    loaded.module =
        checked(parseBitcodeFile(MemoryBufferRef(application, application_name), context),
                application_name);
    Module &module = *loaded.module;
    if (made_elsewhere)
        call_library_functions(module);
    /* Of this one only the functions that are linked are read. */
    std::unique_ptr<Module> library =
        checked(getLazyBitcodeModule(MemoryBufferRef(libc, libc_name), context), libc_name);
    for (Function &function : module)
        if (!function.isDeclaration())
            loaded.functions.push_back(&function);
    resolve_aliases(module);
    resolve_aliases(*library);
    loaded.constructors = by_priority(module, "llvm.global_ctors");
    loaded.destructors = by_priority(module, "llvm.global_dtors");
    std::reverse(loaded.destructors.begin(), loaded.destructors.end());
    drop_linker_lists(module);
    call_directly(module);
    drop_linker_lists(*library);
    number_labels(module);
    make_available_externally(*library);
    if (Linker::linkModules(module, std::move(library), Linker::LinkOnlyNeeded))
        panic("JIT: the bitcode of LLVM-libc does not fit the application's");
    share_thread_locals(module);
    for (Function &function : module)
        if (function.hasLocalLinkage() && !is_contained(loaded.functions, &function))
            function.setLinkage(GlobalValue::AvailableExternallyLinkage);
    make_global(module.functions());
    make_global(module.globals());
    return loaded;
}
