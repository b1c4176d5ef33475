#include "kernel_lib/jit/engine/pipeline.h"
#include "kernel_lib/jit/engine/library_functions.h"
#include "kernel_lib/jit/engine/passes.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/TargetSelect.h"

namespace jit {

using llvm::CodeGenOptLevel;
using llvm::Module;
using llvm::TargetMachine;

namespace {

/* The baseline that all the application is compiled for; functions for more say so themselves. */
constexpr char BASELINE_CPU[] = "x86-64";

CodeGenOptLevel code_level(jit_level level) {
    switch (level) {
    case JIT_O1:
        return CodeGenOptLevel::Less;
    case JIT_O2:
        return CodeGenOptLevel::Default;
    case JIT_O3:
        return CodeGenOptLevel::Aggressive;
    default:
        return CodeGenOptLevel::None;
    }
}

/* A function has its frame from its first instruction on: backtraces rely on that
 * (kernel_lib/debug/unwind.c). */
void forbid_shrink_wrapping() {
    auto *option = llvm::cl::getRegisteredOptions().lookup("enable-shrink-wrap");
    static_cast<llvm::cl::opt<llvm::cl::boolOrDefault> *>(option)->setValue(llvm::cl::BOU_FALSE);
}

} // namespace

/* All that a level needs, made once: setting passes up takes as long as running them on a small
 * function. */
struct Pipeline::Level {
    Level(std::unique_ptr<TargetMachine> target, const llvm::TargetLibraryInfoImpl &library,
          jit_level level)
        : machine(std::move(target)), optimisation(*machine, library, level), stream(object) {
        code.add(new llvm::TargetLibraryInfoWrapperPass(library));
        llvm::MCContext *context;
        if (machine->addPassesToEmitMC(code, context, stream, true))
            llvm::report_fatal_error("this target has no code generator");
    }

    std::unique_ptr<TargetMachine> machine;
    Passes optimisation;
    llvm::SmallVector<char, 0> object;
    llvm::raw_svector_ostream stream;
    llvm::legacy::PassManager code;
};

llvm::TargetLibraryInfoImpl callable_library(const llvm::Triple &triple,
                                             llvm::function_ref<bool(llvm::StringRef)> exists) {
    llvm::TargetLibraryInfoImpl library(triple);
    for (unsigned i = 0; i < llvm::NumLibFuncs; i++) {
        auto function = static_cast<llvm::LibFunc>(i);
        llvm::StringRef name = llvm::TargetLibraryInfo::getStandardName(function);
        /* What comes out must not depend on how far the code is optimised. */
        if (is_library_function(name) || !exists(name))
            library.setUnavailable(function);
    }
    return library;
}

llvm::Expected<std::unique_ptr<TargetMachine>>
make_target_machine(const llvm::Triple &triple, jit_level level, llvm::Reloc::Model relocation) {
    std::string error;
    const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
    if (!target)
        return llvm::createStringError(error);
    llvm::TargetOptions options;
    options.AllowFPOpFusion = llvm::FPOpFusion::Strict; /* a fused product has other bits */
    return std::unique_ptr<TargetMachine>(
        target->createTargetMachine(triple, BASELINE_CPU, "", options, relocation,
                                    llvm::CodeModel::Small, code_level(level), true));
}

Pipeline::Pipeline(const llvm::Triple &triple, llvm::function_ref<bool(llvm::StringRef)> exists)
    : library(callable_library(triple, exists)) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    forbid_shrink_wrapping();
}

Pipeline::~Pipeline() = default;

llvm::Expected<Pipeline::Level *> Pipeline::at(const llvm::Triple &triple, jit_level level) {
    auto &made = levels[level];
    if (made)
        return made.get();
    auto machine = make_target_machine(triple, level, llvm::Reloc::PIC_);
    if (!machine)
        return machine.takeError();
    made = std::make_unique<Level>(std::move(*machine), library, level);
    return made.get();
}

llvm::Expected<llvm::SmallVector<char, 0>> Pipeline::run(Module &module, jit_level level) {
    auto found = at(module.getTargetTriple(), level);
    if (!found)
        return found.takeError();
    Level &chosen = **found;
    chosen.optimisation.run(module);
    chosen.code.run(module);
    return std::exchange(chosen.object, {});
}

void Pipeline::abandon() {
    for (auto &level : levels)
        level.release();
}

} // namespace jit
