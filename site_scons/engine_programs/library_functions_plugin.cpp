/*
 * The engine's call_library_functions as a pass, library-functions, for the build's clang and opt.
 * The compiler runs it before it optimises.
 */
#include "kernel_lib/jit/engine/library_functions.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Plugins/PassPlugin.h"

using namespace llvm;

namespace {

struct LibraryFunctionsPass : PassInfoMixin<LibraryFunctionsPass> {
    PreservedAnalyses run(Module &module, ModuleAnalysisManager &) {
        jit::call_library_functions(module);
        return PreservedAnalyses::none();
    }
    static bool isRequired() { return true; } /* without optimisation, too */
};

void register_pass(PassBuilder &builder) {
    builder.registerPipelineStartEPCallback([](ModulePassManager &passes, OptimizationLevel) {
        passes.addPass(LibraryFunctionsPass());
    });
    builder.registerPipelineParsingCallback(
        [](StringRef name, ModulePassManager &passes, ArrayRef<PassBuilder::PipelineElement>) {
            if (name != "library-functions")
                return false;
            passes.addPass(LibraryFunctionsPass());
            return true;
        });
}

} // namespace

extern "C" LLVM_ATTRIBUTE_WEAK PassPluginLibraryInfo llvmGetPassPluginInfo() {
    return {LLVM_PLUGIN_API_VERSION, "library-functions", LLVM_VERSION_STRING, register_pass};
}
