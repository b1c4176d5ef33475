/*
 * What better code saves: the time that the function is going to take, times the part of it that
 * better code makes unnecessary.
 *
 * The time: what a function has taken on its level, it is expected to take once more. That is the
 * rule of the ski-rental problem: waiting until then costs at most as much again as compiling at
 * once would have. But a function that was called often is expected to go on, and to keep its share
 * of the time for a while (HORIZON).
 *
 * The part is measured on functions that are on a higher level already: the least cycles of a call
 * before and after. The least, because calls differ, and the shortest of them comes again. Until
 * enough functions are there it is guessed.
 */
#include "kernel_lib/jit/policy/gain.h"
#include "kernel_lib/jit/policy/budget.h"
#include "kernel_lib/runtime.h"

#define ENOUGH_CALLS 64
#define LOOK_EVERY 1024 /* questions */
#define GUESSES 2       /* the guess counts as so many functions */

#define LITTLE (1 / 32.0)

/* In budget_unit()s of running. */
#define HORIZON 1300
#define LEAST_SEEN 65 /* the share is that of at least so long */

/* Where wider instructions are not tried, O2 and O3 save little. */
static double guess(enum jit_level level) {
    if (level == JIT_INTERPRETER)
        return 1;
    return level > JIT_O0 && cpu_features()->tcg ? LITTLE : 0.5;
}

static double saved[JIT_LEVELS];

/* The part of the time on this level that the function saves on the next one that it was on; false
 * when there is none, or too few calls were timed. */
static bool saved_by(const struct jit_function *f, enum jit_level level, double *part) {
    const struct jit_times *before = &f->times[level], *after = before + 1;
    while (after < f->times + JIT_LEVELS && after->calls < ENOUGH_CALLS)
        after++;
    if (before->calls < ENOUGH_CALLS || after == f->times + JIT_LEVELS || before->min == 0)
        return false;
    *part = after->min < before->min ? 1 - (double)after->min / (double)before->min : 0;
    return true;
}

static void look(void) {
    size_t count;
    struct jit_function *const *functions = jit_functions(&count);
    for (enum jit_level level = JIT_INTERPRETER; level < JIT_O3; level++) {
        double sum = guess(level) * GUESSES, part;
        unsigned known = GUESSES;
        for (size_t i = 0; level > JIT_INTERPRETER && i < count; i++)
            if (policy_computes(functions[i]) && saved_by(functions[i], level, &part)) {
                sum += part;
                known++;
            }
        saved[level] = sum / known;
    }
}

double gain_part(struct jit_function *f) {
    static unsigned asked;
    if (f->level == JIT_O3) /* other candidates */
        return guess(JIT_O2);
    if (asked++ % LOOK_EVERY == 0)
        look();
    bool waits = f->level > JIT_INTERPRETER && !policy_computes(f); /* for what it calls */
    return waits && saved[f->level] > LITTLE ? LITTLE : saved[f->level];
}

/* Whether alternatives wait to be tried for the highest level. */
static bool has_new_alternatives(const struct jit_function *f) {
    return !f->policy.autotuned && f->policy.alternatives[0] && f->level >= JIT_O2;
}

/* Usually what the function has taken for itself. But an alternative also calls other functions
 * than the function does: before it is tried, what these take counts, too. */
int64_t gain_time(const struct jit_function *f) {
    const struct jit_times *times = &f->times[f->level];
    if (!has_new_alternatives(f) || times->calls == 0)
        return f->policy.self[f->level];
    return (int64_t)(times->total / times->calls * f->calls);
}

/* The time that the function is expected to take from now on. */
static double time_to_come(const struct jit_function *f, uint64_t running, bool goes_on) {
    uint64_t unit = budget_unit(), seen = running - f->policy.since;
    double taken = (double)gain_time(f);
    if (!goes_on || f->level == JIT_INTERPRETER || seen >= HORIZON * unit)
        return taken;
    seen = seen < LEAST_SEEN * unit ? LEAST_SEEN * unit : seen;
    return taken * (double)(HORIZON * unit) / (double)seen;
}

double gain_expected(struct jit_function *f, uint64_t running, bool goes_on) {
    return time_to_come(f, running, goes_on) * (has_new_alternatives(f) ? 1 : gain_part(f));
}
