#include "kernel_lib/jit/export/learnt.h"
#include "kernel_lib/jit/engine/codegen_options.h"
#include "kernel_lib/jit/engine/extract.h"
#include "kernel_lib/jit/engine/specialise.h"
#include "kernel_lib/jit/export/functions.h"
#include "kernel_lib/jit/export/temperature.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/IR/Constants.h"
#include "llvm/Transforms/Utils/Cloning.h"
extern "C" {
#include "kernel_lib/cpu/instruction_sets.h"
}

using namespace llvm;
using namespace jit;

/* What every processor of x86-64 has. */
constexpr char BASELINE_CPU[] = "x86-64";
constexpr StringRef BASELINE_SETS[] = {"cmov", "cx8", "fxsr", "mmx", "sse", "sse2", "x87"};

/* Other code for a function can be noticed when it took one in so many of the longest one's
 * cycles. Clones need frequent argument values that were seen so often (the policy judges every
 * 64 calls). */
constexpr double NOTICED_PART = 20;
constexpr uint64_t ENOUGH_CALLS = 32;

namespace {

/* The instruction sets, beyond the baseline, that code of the functions needs. */
class NeededSets {
  public:
    NeededSets() {
        for (size_t i = 0; const char *name = cpu_instruction_set(i); i++)
            known.insert(name);
    }

    /* Adds those of a function's attribute, "+avx,+avx2". False, and nothing is added, when the
     * kernel could not check one of them. */
    bool add(StringRef attribute) {
        SmallVector<StringRef> sets;
        SmallVector<StringRef> features;
        attribute.split(features, ',', -1, false);
        for (StringRef feature : features)
            if (feature.consume_front("+") && !is_contained(BASELINE_SETS, feature))
                sets.push_back(feature);
        if (!all_of(sets, [&](StringRef set) { return known.contains(set); }))
            return false;
        for (StringRef set : sets)
            needed.insert(set);
        return true;
    }

    std::string list() const {
        std::vector<std::string> names;
        for (size_t i = 0; const char *name = cpu_instruction_set(i); i++)
            if (needed.contains(name))
                names.push_back(name);
        return join(names, ",");
    }

  private:
    StringSet<> known, needed;
};

class Application {
  public:
    Application(const Bitcode &bitcode, const ProfileReader &profile)
        : bitcode(bitcode), profile(profile), most(most_cost(profile)) {}

    Learnt apply() {
        const struct profile &head = profile.head();
        learnt.build = head.made_by;
        learnt.model = head.model;
        learnt.boots = head.boots;
        std::vector<Temperature> heat = temperatures(profile, bitcode.functions);
        for (size_t i = 0; i < heat.size(); i++) {
            mark(*bitcode.functions[i], heat[i]);
            learnt.functions += profile.of(i).calls > 0;
            learnt.hot += heat[i] == Temperature::hot;
        }
        for (size_t i = 0; i < heat.size(); i++)
            choose(i);
        if (heat.empty()) /* nothing is known to run seldom */
            for (Function *function : bitcode.functions)
                mark(*function, Temperature::hot);
        learnt.features = sets.list();
        return std::move(learnt);
    }

  private:
    /* The candidate that was fastest, if that was measured. */
    static const jit_candidate *chosen_of(const jit_history &history) {
        for (unsigned i = 0; i < history.candidates.count; i++)
            if (history.candidates.list[i].chosen)
                return &history.candidates.list[i];
        return nullptr;
    }

    /* Whether the function took so much of the time that other code for it can be noticed. */
    bool takes_much(size_t i) const { return cost(profile.of(i)) * NOTICED_PART >= most; }

    /* Whether clones of the function for its argument values are worth their room. */
    bool wants_clones(size_t i) const {
        const jit_value_profile &values = profile.of(i).values;
        uint64_t calls = 0;
        for (unsigned k = 0; k < values.count; k++)
            calls += values.frequent[k].calls;
        return calls >= ENOUGH_CALLS && takes_much(i) && has_loop(*bitcode.functions[i]);
    }

    std::string all_features() const {
        SmallVector<StringRef> names;
        StringRef(profile.head().features).split(names, ',', -1, false);
        std::string features;
        for (StringRef name : names)
            features += (features.empty() ? "+" : ",+") + name.str();
        return features;
    }

    /* Another function's code, and what it calls that is written for the same instruction sets:
     * none of it was counted. */
    static void heat(Function &body) {
        mark(body, Temperature::hot);
        for_each_callee(body, [&](Function &callee) {
            if (!callee.hasFnAttribute(Attribute::Hot) &&
                callee.getFnAttribute("target-features") == body.getFnAttribute("target-features"))
                heat(callee);
        });
    }

    /* Makes functions that are called by this one alone a part of it, as the JIT does: in a clone
     * they know its constants. What is never called would only be in several clones. */
    static void inline_parts(Function &body) {
        for_each_callee(body, [&](Function &callee) {
            if (!callee.hasFnAttribute(Attribute::AlwaysInline) &&
                !callee.hasFnAttribute(Attribute::Cold) && is_part_of_caller(callee)) {
                callee.addFnAttr(Attribute::AlwaysInline);
                inline_parts(callee);
            }
        });
    }

    /* The code that was fastest for the index-th function: another function's, or its own with
     * other codegen options. A kernel that needs all instruction sets fits few machines: that
     * must be worth it. */
    Function &fastest(size_t i) {
        Function &function = *bitcode.functions[i];
        const jit_candidate *candidate = chosen_of(profile.of(i));
        Function *body =
            candidate ? bitcode.functions[profile.index_of(candidate->body)] : &function;
        if (body != &function &&
            sets.add(body->getFnAttribute("target-features").getValueAsString())) {
            heat(*body);
            learnt.chosen++;
            note("the code of " + body->getName());
            return *body;
        }
        if (body != &function || !candidate || !takes_much(i))
            return function;
        mark(function, Temperature::hot);
        if (candidate->options & JIT_FREE_LOOPS) {
            free_loops(function);
            note("free loops");
        }
        std::string features = all_features();
        if ((candidate->options & JIT_ALL_FEATURES) && sets.add(features)) {
            use_features(function, BASELINE_CPU, features);
            note("all instruction sets");
        }
        return function;
    }

    Function &clone(const Function &original, const Twine &name, ArrayRef<Constant *> values) {
        auto *made = Function::Create(original.getFunctionType(), GlobalValue::InternalLinkage,
                                      original.getAddressSpace(), name, bitcode.module.get());
        ValueToValueMapTy map;
        for (auto [index, argument] : enumerate(original.args())) {
            Constant *value = index < values.size() ? values[index] : nullptr;
            map[&argument] = value ? static_cast<Value *>(value) : made->getArg(index);
        }
        SmallVector<ReturnInst *, 8> returns;
        CloneFunctionInto(made, &original, map, CloneFunctionChangeType::LocalChangesOnly, returns);
        made->setLinkage(GlobalValue::InternalLinkage);
        made->setAlignment(MaybeAlign()); /* there are several: much would be padding */
        learnt.clones++;
        return *made;
    }

    /* Whoever refers to the function, refers to the other one from now on, which has its name. */
    void replace(Function &function, Function &other) {
        std::string name = function.getName().str();
        function.replaceUsesWithIf(&other, [&](Use &use) {
            auto *instruction = dyn_cast<Instruction>(use.getUser());
            return !instruction || instruction->getFunction() != &other;
        });
        function.setName(name + ".general");
        other.setName(name);
    }

    /* The same for code that keeps its own name: it has both. */
    void stand_for(Function &function, Function &body) {
        function.replaceAllUsesWith(&body);
        auto *alias =
            GlobalAlias::create(function.getValueType(), function.getAddressSpace(),
                                GlobalValue::ExternalLinkage, "", &body, bitcode.module.get());
        alias->takeName(&function);
        function.setName(alias->getName() + ".general");
    }

    void choose(size_t i) {
        Function &function = *bitcode.functions[i];
        uint64_t clones = learnt.clones;
        Function &body = fastest(i);
        jit_value_profile values = {};
        if (wants_clones(i)) {
            values = profile.of(i).values;
            inline_parts(body);
            mark(body, Temperature::hot);
        }
        jit_values_select(&values);
        auto make_clone = [&](const Twine &name, ArrayRef<Constant *> constants) -> Function & {
            return clone(body, function.getName() + "." + name, constants);
        };
        Function &chosen = specialise(body, values, make_clone);
        if (learnt.clones > clones)
            note("clones: " + Twine(learnt.clones - clones));
        if (!notes.empty())
            learnt.choices += function.getName().str() + ": " + join(notes, ", ") + "\n";
        notes.clear();
        if (&chosen == &function)
            return;
        if (&chosen == &body) {
            stand_for(function, body);
        } else {
            mark(chosen, Temperature::hot);
            replace(function, chosen);
        }
    }

    void note(const Twine &text) { notes.push_back(text.str()); }

    const Bitcode &bitcode;
    const ProfileReader &profile;
    double most; /* cost of a function */
    NeededSets sets;
    Learnt learnt;
    std::vector<std::string> notes; /* of the function that is looked at */
};

/* Defines the symbol made_from, whose structure this is. */
void define(Module &module, const Learnt &learnt) {
    LLVMContext &context = module.getContext();
    auto text = [&](StringRef bytes) -> Constant * {
        Constant *value = ConstantDataArray::getString(context, bytes);
        auto *variable = new GlobalVariable(module, value->getType(), true,
                                            GlobalValue::PrivateLinkage, value, "made_from_text");
        variable->setUnnamedAddr(GlobalValue::UnnamedAddr::Global);
        return variable;
    };
    auto number = [&](uint64_t value) -> Constant * {
        return ConstantInt::get(Type::getInt64Ty(context), value);
    };
    Constant *value = ConstantStruct::getAnon(
        {text(learnt.build), text(learnt.features), text(learnt.model), text(learnt.choices),
         number(learnt.boots), number(learnt.functions), number(learnt.hot), number(learnt.clones),
         number(learnt.chosen)});
    auto *made_from = new GlobalVariable(module, value->getType(), true,
                                         GlobalValue::ExternalLinkage, value, MADE_FROM);
    made_from->setAlignment(Align(alignof(uint64_t)));
}

} // namespace

Expected<Learnt> jit::apply_profile(const Bitcode &bitcode, StringRef text) {
    auto profile = ProfileReader::read(text, bitcode.functions);
    if (!profile)
        return profile.takeError();
    Learnt learnt = Application(bitcode, **profile).apply();
    define(*bitcode.module, learnt);
    return learnt;
}
