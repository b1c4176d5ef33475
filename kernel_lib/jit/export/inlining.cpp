#include "kernel_lib/jit/export/inlining.h"
#include "kernel_lib/jit/engine/expansion.h"
#include "kernel_lib/jit/engine/extract.h"
#include "kernel_lib/jit/export/learnt.h"
#include "kernel_lib/jit/export/precompiled.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"

using namespace llvm;
using namespace jit;

/* Instructions of a function that is inlined, and that a function may grow by in this way. */
constexpr unsigned MAX_INLINED = 60;
constexpr uint64_t MAX_EXPANDED = 2000;

static StringRef instruction_sets(const Function &function) {
    return function.getFnAttribute("target-features").getValueAsString();
}

/* Whether the callee is worth a place in its callers, by its size. What is never called is not. */
static bool is_worth_inlining(const Function &callee) {
    if (callee.hasFnAttribute(Attribute::AlwaysInline))
        return true;
    return !callee.hasFnAttribute(Attribute::NoInline) && !callee.isVarArg() &&
           !callee.hasFnAttribute(Attribute::Cold) &&
           (callee.getInstructionCount() <= MAX_INLINED || is_part_of_caller(callee));
}

namespace {

/* Chooses the calls that are replaced by what they call. */
class Inlining {
  public:
    explicit Inlining(Module &module) : baseline(instruction_sets(*module.getFunction(APP_MAIN))) {
        for (Function &function : module)
            if (is_compiled(function)) {
                expansion.add_root(function);
                pending.push_back(&function);
            }
    }

    /* Returns the functions that are in others, and not compiled by themselves. */
    SmallPtrSet<Function *, 32> run() {
        while (!pending.empty())
            choose(*pending.pop_back_val());
        return std::move(parts);
    }

  private:
    void choose(Function &caller) {
        for (Instruction &instruction : instructions(caller)) {
            auto *call = dyn_cast<CallBase>(&instruction);
            Function *callee = call ? call->getCalledFunction() : nullptr;
            if (callee && !callee->isDeclaration() && fits(*callee, caller)) {
                call->addFnAttr(Attribute::AlwaysInline);
                if (!is_compiled(*callee) && parts.insert(callee).second)
                    pending.push_back(callee);
            }
        }
    }

    bool fits(const Function &callee, const Function &caller) {
        StringRef sets = instruction_sets(callee);
        return (sets == baseline || sets == instruction_sets(caller)) && is_inlined(callee);
    }

    bool is_inlined(const Function &callee) {
        auto [known, is_new] = inlined.try_emplace(&callee, false);
        if (is_new)
            known->second =
                is_worth_inlining(callee) && expansion.add_inlined(callee, MAX_EXPANDED);
        return known->second;
    }

    StringRef baseline;
    Expansion expansion;
    SmallVector<Function *> pending;
    SmallPtrSet<Function *, 32> parts;
    DenseMap<const Function *, bool> inlined;
};

} // namespace

SmallPtrSet<Function *, 32> jit::choose_inlined(Module &module) {
    return Inlining(module).run();
}
