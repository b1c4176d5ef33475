#include "kernel_lib/jit/export/temperature.h"
#include "kernel_lib/jit/export/functions.h"
#include "kernel_lib/jit/export/learnt.h"
#include "llvm/ADT/DenseMap.h"

using namespace llvm;
using namespace jit;

/* A function is hot when it was called so often, and its calls took one in so many of the cycles of
 * the longest of these, or more. What runs only a few times gains nothing by itself, and its time
 * may be that of waiting. */
constexpr uint64_t OFTEN = 100;
constexpr double HOT_PART = 200;

double jit::cost(const jit_history &history) {
    for (int level = JIT_LEVELS - 1; level >= 0; level--) {
        const jit_times &times = history.times[level];
        if (times.calls)
            return static_cast<double>(times.total) / static_cast<double>(times.calls) *
                   static_cast<double>(history.calls);
    }
    return 0;
}

static bool is_often_called(const jit_history &history) {
    return history.calls >= OFTEN;
}

double jit::most_cost(const ProfileReader &profile) {
    double most = 0;
    for (size_t i = 0; i < profile.head().count; i++)
        if (is_often_called(profile.of(i)))
            most = std::max(most, cost(profile.of(i)));
    return most;
}

std::vector<Temperature> jit::temperatures(const ProfileReader &profile,
                                           ArrayRef<Function *> functions) {
    std::vector<Temperature> found(functions.size(), Temperature::cold);
    DenseMap<const Function *, size_t> index;
    SmallVector<size_t> hot;
    double most = most_cost(profile);
    for (size_t i = 0; i < functions.size(); i++)
        index[functions[i]] = i;
    if (most == 0)
        return {};
    auto heat = [&](size_t i) {
        found[i] = Temperature::hot;
        hot.push_back(i);
    };
    for (size_t i = 0; i < functions.size(); i++) {
        if (is_often_called(profile.of(i)) && cost(profile.of(i)) * HOT_PART >= most)
            heat(i);
        else if (profile.of(i).calls > 0)
            found[i] = Temperature::warm;
    }
    while (!hot.empty()) {
        for_each_callee(*functions[hot.pop_back_val()], [&](Function &called) {
            auto callee = index.find(&called);
            if (callee != index.end() && found[callee->second] != Temperature::hot &&
                is_often_called(profile.of(callee->second)))
                heat(callee->second);
        });
    }
    return found;
}

static bool is_for_other_cpus(const Function &function) {
    return function.getFnAttribute("target-features") !=
           function.getParent()->getFunction(APP_MAIN)->getFnAttribute("target-features");
}

void jit::mark(Function &function, Temperature temperature) {
    function.removeFnAttr(Attribute::Hot);
    function.removeFnAttr(Attribute::Cold);
    if (temperature == Temperature::hot) {
        function.addFnAttr(Attribute::Hot);
        function.removeFnAttr(Attribute::OptimizeForSize);
        function.removeFnAttr(Attribute::MinSize);
        return;
    }
    if (temperature == Temperature::cold)
        function.addFnAttr(Attribute::Cold);
    if (is_for_other_cpus(function))
        return;
    function.addFnAttr(Attribute::OptimizeForSize);
    function.addFnAttr(Attribute::MinSize);
}
