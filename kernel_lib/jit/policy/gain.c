/*
 * What better code saves: of functions that have gone to a higher level already, the least cycles
 * of a call before and after say which part. The least, because calls differ, and the shortest of
 * them comes again. Until enough have gone there it is guessed.
 */
#include "kernel_lib/jit/policy/policy.h"
#include "kernel_lib/runtime.h"

#define ENOUGH_CALLS 64
#define LOOK_EVERY 1024 /* questions */
#define GUESSES 2       /* the guess counts as so many functions */

#define LITTLE (1 / 32.0)

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
    struct jit_function *functions = jit_functions(&count);
    for (enum jit_level level = JIT_INTERPRETER; level < JIT_O3; level++) {
        double sum = guess(level) * GUESSES, part;
        unsigned known = GUESSES;
        for (size_t i = 0; level > JIT_INTERPRETER && i < count; i++)
            if (policy_computes(&functions[i]) && saved_by(&functions[i], level, &part)) {
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
