/* Codegen options. */
#include "kernel_lib/jit/engine/codegen_options.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Instructions.h"
#include "llvm/TargetParser/Host.h"

using namespace llvm;

static std::string features_of_this_processor() {
    std::vector<std::string> names; /* LLVM asks XCR0, too, not only CPUID */
    for (const auto &feature : sys::getHostCPUFeatures())
        names.push_back((feature.getValue() ? "+" : "-") + feature.getKey().str());
    sort(names);
    return join(names, ",");
}

void jit::use_all_features(Module &module, StringRef processor) {
    StringRef cpu = processor.empty() ? sys::getHostCPUName() : processor;
    std::string features = processor.empty() ? features_of_this_processor() : "";
    for (Function &function : module)
        if (!function.isDeclaration())
            use_features(function, cpu, features);
}

void jit::use_features(Function &function, StringRef processor, StringRef features) {
    function.addFnAttr("target-cpu", processor);
    function.addFnAttr("target-features", features);
    function.removeFnAttr("tune-cpu");
}

static bool forbids(const MDOperand &property) {
    auto *node = dyn_cast<MDNode>(property);
    auto *name = node && node->getNumOperands() ? dyn_cast<MDString>(node->getOperand(0)) : nullptr;
    return name && (name->getString() == "llvm.loop.unroll.disable" ||
                    name->getString().starts_with("llvm.loop.vectorize.") ||
                    name->getString().starts_with("llvm.loop.interleave."));
}

/* A loop's properties without those that forbid; the first operand is the node itself. */
static MDNode *without_forbidding(MDNode *loop) {
    SmallVector<Metadata *, 4> kept{nullptr};
    for (const MDOperand &property : drop_begin(loop->operands()))
        if (!forbids(property))
            kept.push_back(property);
    MDNode *node = MDNode::getDistinct(loop->getContext(), kept);
    node->replaceOperandWith(0, node);
    return node;
}

void jit::free_loops(Function &function) {
    for (BasicBlock &block : function)
        if (Instruction *end = block.getTerminator())
            if (MDNode *loop = end->getMetadata(LLVMContext::MD_loop))
                end->setMetadata(LLVMContext::MD_loop, without_forbidding(loop));
}

void jit::free_loops(Module &module) {
    for (Function &function : module)
        free_loops(function);
}
