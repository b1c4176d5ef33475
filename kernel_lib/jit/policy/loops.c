/*
 * When loops in slow code are left for better code: when they have taken as long as compiling the
 * function takes. That is outside of the budget: what they have taken is the limit. If it was that
 * of many calls, these end soon, and the function itself is compiled for the next ones. Otherwise,
 * or if slow code goes on all the same, the call goes on in a continuation, which costs as much.
 */
#include "kernel_lib/jit/clock.h"
#include "kernel_lib/jit/policy/budget.h"
#include "kernel_lib/jit/policy/call_times.h"
#include "kernel_lib/jit/policy/optimize.h"
#include "kernel_lib/jit/policy/tiers.h"

#define BEST JIT_O2 /* O3 does little more for a large function, and takes longer */
#define MANY 16     /* calls meanwhile: then most have ended soon */

/* For calls that end soon. Whether they get a higher level, too, is decided as usual. */
static void compile_for_short_calls(struct jit_function *f) {
    tier_compile_outside(f, tier_after_o0(), JIT_LONG_LOOP);
}

/* New calls, of this boot and of later ones, do not begin in slow code again, if the budget has
 * room. There may be few: they get no clones. First of all, because it frees continuations that no
 * call is in. */
static void compile_for_new_calls(struct jit_function *f, uint64_t now) {
    if (f->level < BEST && budget_allows(budget_expect_general(f, BEST), now))
        tier_compile_general(f, BEST, JIT_LONG_LOOP);
}

static void *make_when_worth(struct jit_function *f, uint32_t loop) {
    uint64_t now = jit_clock();
    f->policy.looping += time_in_loops(f, now);
    if (tier_top(f) < BEST || f->policy.looping < (int64_t)budget_expect_later(f, BEST))
        return NULL;
    bool ends = f->level < tier_after_o0() && f->calls - f->policy.looping_calls >= MANY;
    f->policy.looping = 0;
    f->policy.looping_calls = f->calls;
    if (!f->policy.autotune && ends)
        compile_for_short_calls(f);
    else if (!f->policy.autotune)
        compile_for_new_calls(f, now); /* may fail */
    return ends || tier_top(f) < BEST ? NULL : tier_continue(f, loop, BEST);
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
