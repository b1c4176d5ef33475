/*
 * What is compiled because the application says so: at once, or while it waits for input.
 */
#include "kernel_lib/jit/policy/autotune.h"
#include "kernel_lib/jit/policy/budget.h"
#include "kernel_lib/jit/policy/call_times.h"
#include "kernel_lib/jit/policy/gain.h"
#include "kernel_lib/jit/policy/optimize.h"
#include "kernel_lib/jit/policy/tiers.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

#define HOT_PERCENT 1 /* of all time: what jit_optimize_hot_functions() takes for hot */
#define WORTH_IDLE                                                                                 \
    (1 / 128.0)          /* of what compiling takes: whoever types next may have to wait for it */
#define RECENT_PART 4    /* the last one of so many parts of all time is recent ... */
#define RECENT_UNITS 260 /* ... and at least so many budget_unit()s, if the machine was paused */

/* What the functions have taken together, and when the last call was. */
struct usage {
    int64_t total;
    uint64_t last;
};

static struct usage usage_of(struct jit_function *const *functions, size_t count) {
    struct usage usage = {0};
    for (size_t i = 0; i < count; i++) {
        uint64_t last = functions[i]->policy.last;
        usage.total += time_self(functions[i]);
        usage.last = last > usage.last ? last : usage.last;
    }
    return usage;
}

size_t jit_optimize_hot_functions(void) {
    size_t count, compiled = 0;
    struct jit_function *const *functions = jit_functions(&count);
    int64_t hot = usage_of(functions, count).total / 100 * HOT_PERCENT;
    if (!optimize_begin())
        return 0;
    for (size_t i = 0; i < count; i++) {
        struct jit_function *f = functions[i];
        int64_t self = time_self(f);
        if (!f->policy.autotune && self > 0 && self >= hot && f->level < tier_top(f))
            compiled += tier_compile(f, tier_top(f), "asked for");
    }
    optimize_end();
    return compiled;
}

/* What compiling it for this level gains, as a part of what it takes. */
static double worth_of(struct jit_function *f, enum jit_level level, const struct usage *usage) {
    return gain_expected(f, usage->last, true) / (double)(budget_expect(f, level) + 1);
}

static bool is_recent(const struct jit_function *f, const struct usage *usage) {
    uint64_t part = usage->last / RECENT_PART, least = RECENT_UNITS * budget_unit();
    return usage->last - f->policy.last <= (part > least ? part : least);
}

/* The level that the function would be compiled for now; its own when it is worth nothing more.
 * What was not called for a while, such as what runs only at the start, is not. */
static enum jit_level idle_level(struct jit_function *f, const struct usage *usage) {
    enum jit_level top = tier_top(f);
    if (f->policy.autotune || f->calls == 0 || !is_recent(f, usage) || f->level >= top)
        return f->level;
    if (f->calls >= jit_settings()->thresholds[JIT_O0] && worth_of(f, top, usage) >= WORTH_IDLE)
        return top;
    return f->level == JIT_INTERPRETER ? JIT_O0 : f->level;
}

/* Whether its candidates are worth timing: only code of its own can differ. */
static bool wants_autotuning(struct jit_function *f) {
    return !f->policy.autotuned && autotune_candidates(f) > 1 &&
           (f->policy.alternatives[0] || policy_computes(f));
}

/* The function whose compiling gains most for what it takes, and its level in *level; NULL when
 * there is none. */
static struct jit_function *choose_idle(enum jit_level *level) {
    size_t count;
    struct jit_function *const *functions = jit_functions(&count), *best = NULL;
    struct usage usage = usage_of(functions, count);
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        struct jit_function *f = functions[i];
        enum jit_level reached = idle_level(f, &usage);
        double worth = reached > f->level ? worth_of(f, reached, &usage) : -1;
        if (worth < 0 || (best && worth <= most))
            continue;
        best = f;
        most = worth;
        *level = reached;
    }
    return best;
}

/* One of the functions that are being autotuned and lack candidates gets one. */
static bool prepare_candidate(void) {
    size_t count;
    struct jit_function *const *functions = jit_functions(&count);
    for (size_t i = 0; i < count; i++)
        if (functions[i]->policy.autotune && autotune_prepare(functions[i]))
            return true;
    return false;
}

static bool compile_one(void) {
    enum jit_level level;
    if (prepare_candidate())
        return true;
    struct jit_function *f = choose_idle(&level);
    if (!f)
        return false;
    if (level == JIT_O3 && wants_autotuning(f) && autotune_begin(f, "idle"))
        return true;
    tier_compile(f, level, "idle"); /* after a failure its top is lower, so this ends */
    return true;
}

bool jit_use_idle_time(void) {
    if (!jit_settings()->idle || !optimize_begin())
        return false;
    budget_set_idle(true);
    bool more = compile_one();
    budget_set_idle(false);
    optimize_end();
    return more;
}
