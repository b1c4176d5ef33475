#include "kernel_lib/jit/llvm/pipeline.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/MCContext.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"

namespace jit {

using llvm::CodeGenOptLevel;
using llvm::Module;
using llvm::OptimizationLevel;
using llvm::TargetMachine;

namespace {

/* The baseline that all the application is compiled for; functions for more say so themselves. */
constexpr char BASELINE_CPU[] = "x86-64";

struct Level {
    OptimizationLevel passes;
    CodeGenOptLevel code;
    bool vectorise;
};

Level settings(jit_level level) {
    switch (level) {
    case JIT_O1:
        return {OptimizationLevel::O1, CodeGenOptLevel::Less, false};
    case JIT_O2:
        return {OptimizationLevel::O2, CodeGenOptLevel::Default, false};
    case JIT_O3:
        return {OptimizationLevel::O3, CodeGenOptLevel::Aggressive, true};
    default:
        return {OptimizationLevel::O0, CodeGenOptLevel::None, false};
    }
}

/* Functions whose results LLVM would compute with its own C library, or which it would replace by
 * others: what comes out must not depend on how far the code is optimised. */
constexpr const char *INEXACT[] = {
    "acos", "acosh", "asin", "asinh", "atan",  "atan2", "atanh",  "cbrt",   "cos",   "cosh", "erf",
    "exp",  "exp10", "exp2", "expm1", "log",   "log10", "log1p",  "log2",   "pow",   "powi", "sin",
    "sinh", "sinpi", "tan",  "tanh",  "hypot", "cospi", "sincos", "tgamma", "lgamma"};

bool inexact(llvm::StringRef name) {
    return llvm::is_contained(INEXACT, name) ||
           (name.consume_back("f") && llvm::is_contained(INEXACT, name));
}

} // namespace

Pipeline::Pipeline(const llvm::Triple &triple, llvm::function_ref<bool(llvm::StringRef)> exists)
    : library(triple) {
    llvm::InitializeNativeTarget();
    llvm::InitializeNativeTargetAsmPrinter();
    llvm::InitializeNativeTargetAsmParser(); /* the sources have assembly in them */
    for (unsigned i = 0; i < llvm::NumLibFuncs; i++) {
        auto function = static_cast<llvm::LibFunc>(i);
        llvm::StringRef name = llvm::TargetLibraryInfo::getStandardName(function);
        if (inexact(name) || !exists(name))
            library.setUnavailable(function);
    }
}

llvm::Expected<TargetMachine *> Pipeline::machine(const llvm::Triple &triple, jit_level level) {
    auto &made = machines[level];
    if (made)
        return made.get();
    std::string error;
    const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
    if (!target)
        return llvm::createStringError(error);
    llvm::TargetOptions options;
    options.AllowFPOpFusion = llvm::FPOpFusion::Strict; /* a fused product has other bits */
    made.reset(target->createTargetMachine(triple, BASELINE_CPU, "", options, llvm::Reloc::PIC_,
                                           llvm::CodeModel::Small, settings(level).code, true));
    return made.get();
}

void Pipeline::optimise(Module &module, TargetMachine &machine, jit_level level) {
    Level chosen = settings(level);
    llvm::PipelineTuningOptions tuning;
    tuning.LoopVectorization = tuning.SLPVectorization = chosen.vectorise;
    llvm::LoopAnalysisManager loops;
    llvm::FunctionAnalysisManager functions;
    llvm::CGSCCAnalysisManager components;
    llvm::ModuleAnalysisManager modules;
    functions.registerPass([&] { return llvm::TargetLibraryAnalysis(library); });
    llvm::PassBuilder builder(&machine, tuning);
    builder.registerModuleAnalyses(modules);
    builder.registerCGSCCAnalyses(components);
    builder.registerFunctionAnalyses(functions);
    builder.registerLoopAnalyses(loops);
    builder.crossRegisterProxies(loops, functions, components, modules);
    auto passes = chosen.passes == OptimizationLevel::O0
                      ? builder.buildO0DefaultPipeline(chosen.passes)
                      : builder.buildPerModuleDefaultPipeline(chosen.passes);
    passes.run(module, modules);
}

llvm::Expected<llvm::SmallVector<char, 0>> Pipeline::run(Module &module, jit_level level) {
    auto machine = this->machine(module.getTargetTriple(), level);
    if (!machine)
        return machine.takeError();
    std::string wrong;
    llvm::raw_string_ostream text(wrong);
    if (llvm::verifyModule(module, &text))
        return llvm::createStringError(wrong);
    optimise(module, **machine, level);
    llvm::SmallVector<char, 0> object;
    llvm::raw_svector_ostream stream(object);
    llvm::legacy::PassManager passes;
    passes.add(new llvm::TargetLibraryInfoWrapperPass(library));
    llvm::MCContext *context;
    if ((*machine)->addPassesToEmitMC(passes, context, stream, true))
        return llvm::createStringError("this target has no code generator");
    passes.run(module);
    return object;
}

void Pipeline::abandon() {
    for (auto &machine : machines)
        machine.release();
}

} // namespace jit
