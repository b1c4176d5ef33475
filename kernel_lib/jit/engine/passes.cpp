/*
 * LLVM's own lists of passes are for programs: half of each is about what functions know of one
 * another, profiles, languages that we do not have. Here a module is one function, whose callees
 * are inlined or not known at all, which sroa, early-cse and simplifycfg have been over when the
 * image was built, and compiling takes time from running. So the lists are short, and analyses are
 * those that these passes ask for.
 */
#include "kernel_lib/jit/engine/passes.h"
#include "kernel_lib/jit/export/stop_pass.h"
#include "llvm/Analysis/AliasAnalysis.h"
#include "llvm/Analysis/AssumptionCache.h"
#include "llvm/Analysis/BasicAliasAnalysis.h"
#include "llvm/Analysis/BlockFrequencyInfo.h"
#include "llvm/Analysis/BranchProbabilityInfo.h"
#include "llvm/Analysis/DemandedBits.h"
#include "llvm/Analysis/LastRunTrackingAnalysis.h"
#include "llvm/Analysis/LoopAccessAnalysis.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/MemoryDependenceAnalysis.h"
#include "llvm/Analysis/MemorySSA.h"
#include "llvm/Analysis/OptimizationRemarkEmitter.h"
#include "llvm/Analysis/PostDominators.h"
#include "llvm/Analysis/ProfileSummaryInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/Analysis/ScopedNoAliasAA.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/Analysis/TypeBasedAliasAnalysis.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/ElimAvailExtern.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/Scalar/DeadStoreElimination.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/GVN.h"
#include "llvm/Transforms/Scalar/IndVarSimplify.h"
#include "llvm/Transforms/Scalar/InstSimplifyPass.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopDeletion.h"
#include "llvm/Transforms/Scalar/LoopIdiomRecognize.h"
#include "llvm/Transforms/Scalar/LoopRotation.h"
#include "llvm/Transforms/Scalar/LoopUnrollPass.h"
#include "llvm/Transforms/Scalar/SimpleLoopUnswitch.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/TailRecursionElimination.h"
#include "llvm/Transforms/Utils/ExtraPassManager.h"
#include "llvm/Transforms/Vectorize/LoopVectorize.h"
#include "llvm/Transforms/Vectorize/SLPVectorizer.h"
#include "llvm/Transforms/Vectorize/VectorCombine.h"

using namespace llvm;

namespace {

AAManager alias_analyses() {
    AAManager manager;
    manager.registerFunctionAnalysis<BasicAA>();
    manager.registerFunctionAnalysis<ScopedNoAliasAA>();
    manager.registerFunctionAnalysis<TypeBasedAA>();
    return manager;
}

template <typename... Pass> auto loop_passes(bool use_memory, Pass... pass) {
    LoopPassManager passes;
    (passes.addPass(std::move(pass)), ...);
    return createFunctionToLoopPassAdaptor(std::move(passes), use_memory);
}

/* Loops in the form that later passes want, without what does not change in them. */
auto invariants_out_of_loops() {
    return loop_passes(true, LoopRotatePass(), LICMPass(LICMOptions()));
}

/* Those that run a few times only, and what is left of them: the kernels' tiles are arrays until
 * their loops are unrolled. */
auto short_loops(int level) {
    return loop_passes(false, LoopIdiomRecognizePass(), IndVarSimplifyPass(), LoopDeletionPass(),
                       LoopFullUnrollPass(level));
}

/* For tests that became constant, by inlining or with an argument's value. */
void add_first(FunctionPassManager &passes) {
    passes.addPass(SROAPass(SROAOptions::ModifyCFG));
    passes.addPass(EarlyCSEPass());
    passes.addPass(SimplifyCFGPass());
    passes.addPass(InstCombinePass());
}

void add_o1(FunctionPassManager &passes) {
    add_first(passes);
    passes.addPass(invariants_out_of_loops());
    passes.addPass(short_loops(1));
    passes.addPass(SROAPass(SROAOptions::ModifyCFG));
    passes.addPass(EarlyCSEPass());
    passes.addPass(InstCombinePass());
    passes.addPass(SimplifyCFGPass());
}

SimplifyCFGOptions late() {
    return SimplifyCFGOptions()
        .convertSwitchRangeToICmp(true)
        .convertSwitchToLookupTable(true)
        .needCanonicalLoops(false)
        .hoistCommonInsts(true)
        .sinkCommonInsts(true);
}

void add_o2(FunctionPassManager &passes, bool vectorise) {
    int level = vectorise ? 3 : 2;
    add_first(passes);
    passes.addPass(invariants_out_of_loops());
    passes.addPass(SimplifyCFGPass());
    passes.addPass(InstCombinePass());
    passes.addPass(short_loops(level));
    passes.addPass(SROAPass(SROAOptions::ModifyCFG));
    passes.addPass(GVNPass());
    passes.addPass(DSEPass());
    passes.addPass(InstCombinePass());
    if (vectorise) {
        passes.addPass(LoopVectorizePass());
        passes.addPass(InstCombinePass());
    }
    passes.addPass(SimplifyCFGPass(late()));
    if (vectorise) {
        passes.addPass(SLPVectorizerPass());
        passes.addPass(VectorCombinePass());
    }
    passes.addPass(LoopUnrollPass(LoopUnrollOptions(level)));
    passes.addPass(InstCombinePass());
    passes.addPass(loop_passes(true, LICMPass(LICMOptions())));
    /* Takes away the PHIs of one value that loop passes leave behind loops: with them the code
     * generator copies a counter that is wanted behind its loop on every round. */
    passes.addPass(InstSimplifyPass());
    passes.addPass(TailCallElimPass());
    passes.addPass(SimplifyCFGPass());
}

/* What was there to be inlined has been. Constants keep their values, which passes fold. */
struct DropInlinedFunctionsPass : PassInfoMixin<DropInlinedFunctionsPass> {
    PreservedAnalyses run(Module &module, ModuleAnalysisManager &) {
        for (Function &function : module)
            if (function.hasAvailableExternallyLinkage())
                function.deleteBody();
        return PreservedAnalyses::none();
    }
};

} // namespace

jit::Passes::Passes(TargetMachine &machine, const TargetLibraryInfoImpl &library, jit_level level) {
    register_analyses(machine, library);
    passes.addPass(AlwaysInlinerPass(false));
    passes.addPass(EliminateAvailableExternallyPass());
    if (level == JIT_O0)
        return;
    FunctionPassManager chosen;
    if (level == JIT_O1)
        add_o1(chosen);
    else
        add_o2(chosen, level == JIT_O3);
    passes.addPass(createModuleToFunctionPassAdaptor(std::move(chosen)));
}

jit::Passes::Passes(TargetMachine &machine, const TargetLibraryInfoImpl &library,
                    ManyFunctions many) {
    register_analyses(machine, library);
    FunctionPassManager chosen;
    chosen.addPass(StopPass(many.go_on));
    add_o2(chosen, true);
    passes.addPass(AlwaysInlinerPass(false));
    passes.addPass(DropInlinedFunctionsPass());
    passes.addPass(GlobalDCEPass());
    passes.addPass(createModuleToFunctionPassAdaptor(std::move(chosen)));
    passes.addPass(GlobalDCEPass());
}

void jit::Passes::register_analyses(TargetMachine &machine, const TargetLibraryInfoImpl &library) {
    modules.registerPass([] { return PassInstrumentationAnalysis(); });
    modules.registerPass([] { return ProfileSummaryAnalysis(); });
    modules.registerPass([&] { return FunctionAnalysisManagerModuleProxy(functions); });
    functions.registerPass([] { return PassInstrumentationAnalysis(); });
    functions.registerPass([&] { return ModuleAnalysisManagerFunctionProxy(modules); });
    functions.registerPass([&] { return LoopAnalysisManagerFunctionProxy(loops); });
    functions.registerPass([] { return alias_analyses(); });
    functions.registerPass([] { return AssumptionAnalysis(); });
    functions.registerPass([] { return BasicAA(); });
    functions.registerPass([] { return BlockFrequencyAnalysis(); });
    functions.registerPass([] { return BranchProbabilityAnalysis(); });
    functions.registerPass([] { return DemandedBitsAnalysis(); });
    functions.registerPass([] { return DominatorTreeAnalysis(); });
    functions.registerPass([] { return LastRunTrackingAnalysis(); });
    functions.registerPass([] { return LoopAccessAnalysis(); });
    functions.registerPass([] { return LoopAnalysis(); });
    functions.registerPass([] { return MemoryDependenceAnalysis(); });
    functions.registerPass([] { return MemorySSAAnalysis(); });
    functions.registerPass([] { return OptimizationRemarkEmitterAnalysis(); });
    functions.registerPass([] { return PostDominatorTreeAnalysis(); });
    functions.registerPass([] { return ScalarEvolutionAnalysis(); });
    functions.registerPass([] { return ScopedNoAliasAA(); });
    functions.registerPass([] { return ShouldRunExtraVectorPasses(); });
    functions.registerPass([&] { return machine.getTargetIRAnalysis(); });
    functions.registerPass([&] { return TargetLibraryAnalysis(library); });
    functions.registerPass([] { return TypeBasedAA(); });
    loops.registerPass([] { return PassInstrumentationAnalysis(); });
    loops.registerPass([&] { return FunctionAnalysisManagerLoopProxy(functions); });
    loops.registerPass([] { return ShouldRunExtraSimpleLoopUnswitch(); });
}

void jit::Passes::run(Module &module) {
    passes.run(module, modules);
    modules.clear();
    functions.clear();
    loops.clear();
}
