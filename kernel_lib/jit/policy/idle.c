/*
 * What is compiled because the application says so: at once, or while it waits for input, when
 * compiling costs nobody anything.
 */
#include "kernel_lib/jit/policy/policy.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

#define HOT_PERCENT 1 /* of all time: what jit_optimize_hot_functions() takes for hot */
#define WORTH_IDLE                                                                                 \
    (1 / 128.0)          /* of what compiling takes: whoever types next may have to wait for it */
#define RECENT_PART 4    /* of all time, the last one of so many parts ... */
#define RECENT_UNITS 260 /* ... but at least so many budget_unit()s: the machine may just pause */

/* What the functions have taken together, and when the last call was. */
struct usage {
    int64_t total;
    uint64_t last;
};

static struct usage usage_of(struct jit_function *functions, size_t count) {
    struct usage usage = {0};
    for (size_t i = 0; i < count; i++) {
        const struct policy *p = policy_of(&functions[i]);
        if (!p)
            continue;
        usage.total += optimize_self(p);
        usage.last = p->last > usage.last ? p->last : usage.last;
    }
    return usage;
}

size_t jit_optimize_hot_functions(void) {
    size_t count, compiled = 0;
    struct jit_function *functions = jit_functions(&count);
    int64_t hot = usage_of(functions, count).total / 100 * HOT_PERCENT;
    if (!optimize_begin())
        return 0;
    for (size_t i = 0; i < count; i++) {
        struct jit_function *f = &functions[i];
        const struct policy *p = policy_of(f);
        int64_t self = p ? optimize_self(p) : 0;
        if (p && !p->trial && self > 0 && self >= hot && f->level < optimize_top(f))
            compiled += optimize_compile(f, optimize_top(f), "asked for");
    }
    optimize_end();
    return compiled;
}

/* What compiling it for this level gains, as a part of what it takes. */
static double worth_of(struct jit_function *f, const struct policy *p, enum jit_level level,
                       const struct usage *usage) {
    return optimize_gain(f, p, usage->last, true) / (double)(budget_expect(f, level) + 1);
}

static bool is_recent(const struct policy *p, const struct usage *usage) {
    uint64_t part = usage->last / RECENT_PART, least = RECENT_UNITS * budget_unit();
    return usage->last - p->last <= (part > least ? part : least);
}

/* The level that the function would be compiled for now; its own when it is worth nothing more.
 * What has not been called for a while, as what runs at the start only, is not. */
static enum jit_level idle_level(struct jit_function *f, const struct policy *p,
                                 const struct usage *usage) {
    enum jit_level top = optimize_top(f);
    if (p->trial || f->calls == 0 || !is_recent(p, usage) || f->level >= top)
        return f->level;
    if (f->calls >= jit_settings()->thresholds[JIT_O0] && worth_of(f, p, top, usage) >= WORTH_IDLE)
        return top;
    return f->level == JIT_INTERPRETER ? JIT_O0 : f->level;
}

/* Whether its candidates are worth timing: only code of its own can differ. */
static bool wants_trial(struct jit_function *f, const struct policy *p) {
    return !p->tried && trial_candidates(f) > 1 && (p->alternatives[0] || policy_computes(f));
}

/* The function whose compiling gains most for what it takes, and its level in *level; NULL when
 * there is none. */
static struct jit_function *choose_idle(enum jit_level *level) {
    size_t count;
    struct jit_function *functions = jit_functions(&count), *best = NULL;
    struct usage usage = usage_of(functions, count);
    double most = 0;
    for (size_t i = 0; i < count; i++) {
        struct jit_function *f = &functions[i];
        const struct policy *p = policy_of(f);
        enum jit_level reached = p ? idle_level(f, p, &usage) : f->level;
        double worth = reached > f->level ? worth_of(f, p, reached, &usage) : -1;
        if (worth < 0 || (best && worth <= most))
            continue;
        best = f;
        most = worth;
        *level = reached;
    }
    return best;
}

/* One that is on trial and lacks candidates yet, gets one. */
static bool prepare_trial(void) {
    size_t count;
    struct jit_function *functions = jit_functions(&count);
    for (size_t i = 0; i < count; i++) {
        const struct policy *p = policy_of(&functions[i]);
        if (p && p->trial && trial_prepare(&functions[i]))
            return true;
    }
    return false;
}

static bool compile_one(void) {
    enum jit_level level;
    if (prepare_trial())
        return true;
    struct jit_function *f = choose_idle(&level);
    if (!f)
        return false;
    if (level == JIT_O3 && wants_trial(f, policy_of(f)) && trial_begin(f, "idle"))
        return true;
    optimize_compile(f, level, "idle"); /* after a failure its top is lower, so this ends */
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
