/*
 * When a call that does not end, because it is in a loop, goes on in better code: when its loops
 * have taken as long as compiling takes. That is outside of the budget: the call has no other way
 * to become faster, and its own time is the limit.
 */
#include "kernel_lib/jit/clock.h"
#include "kernel_lib/jit/policy/budget.h"
#include "kernel_lib/jit/policy/call_times.h"
#include "kernel_lib/jit/policy/optimize.h"
#include "kernel_lib/jit/policy/tiers.h"

#define BEST JIT_O2 /* O3 does little more for a large function, and takes longer */

/* New calls, of this boot and of later ones, do not begin in slow code again, if the budget has
 * room. First of all, because it frees continuations that no call is in. */
static void compile_for_new_calls(struct jit_function *f, uint64_t now) {
    if (f->level < BEST && !f->policy.autotune && budget_allows(budget_expect(f, BEST), now))
        tier_compile(f, BEST, JIT_LONG_LOOP);
}

static void *make_when_worth(struct jit_function *f, uint32_t loop) {
    uint64_t now = jit_clock();
    f->policy.looping += time_in_loops(f, now);
    if (tier_top(f) < BEST || f->policy.looping < (int64_t)budget_expect_later(f, BEST))
        return NULL;
    f->policy.looping = 0;
    compile_for_new_calls(f, now); /* may fail */
    return tier_top(f) < BEST ? NULL : tier_continue(f, loop, BEST);
}

void *jit_note_rounds(struct jit_function *f, uint32_t loop) {
    void *code = jit_continuation(f, loop);
    f->rounds = JIT_ROUNDS;
    if (code || !optimize_begin())
        return code;
    code = make_when_worth(f, loop);
    optimize_end();
    return code;
}
