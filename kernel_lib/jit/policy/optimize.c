/*
 * When functions are compiled. A function is compiled when the time that this is expected to save
 * (gain.c) exceeds what compiling it takes, and the budget (budget.c) allows it. What is
 * interpreted is compiled sooner: after a number of calls, when it has taken a part of the cost,
 * and at once when one call takes long.
 */
#include "kernel_lib/jit/policy/optimize.h"
#include "kernel_lib/jit/clock.h"
#include "kernel_lib/jit/float_environment.h"
#include "kernel_lib/jit/policy/autotune.h"
#include "kernel_lib/jit/policy/budget.h"
#include "kernel_lib/jit/policy/call_times.h"
#include "kernel_lib/jit/policy/gain.h"
#include "kernel_lib/jit/policy/report.h"
#include "kernel_lib/jit/policy/tiers.h"
#include "kernel_lib/jit/policy/value_profile.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

#define MEASURE_EVERY 64  /* timed calls: then how long noting one takes is measured */
#define UNUSUAL 16        /* times the average: such a call was interrupted */
#define INTERRUPTED 20000 /* cycles: noting a call that takes more was interrupted */
#define SETTLED 2         /* times the usual calls are about the same */
#define WORTH_PART 4      /* of what compiling costs has to be taken, when it is due by its calls */

static bool deciding;

bool optimize_begin(void) {
    bool first = !deciding;
    deciding = true;
    return first;
}

void optimize_end(void) {
    deciding = false;
}

/* Whether compiling it for so many cycles saves as much as that. */
static bool is_worth(struct jit_function *f, uint64_t cost, uint64_t now) {
    const struct jit_settings *settings = jit_settings();
    bool goes_on = f->calls >= settings->thresholds[JIT_O1] && settings->budget < 100;
    double gain = gain_expected(f, budget_running(now), goes_on);
    return gain > 0 && gain >= (double)cost;
}

static bool autotuning_is_due(struct jit_function *f, uint64_t now) {
    uint64_t cost = budget_expect(f, JIT_O3);
    return !f->policy.autotuned && is_worth(f, cost / WORTH_PART, now) &&
           budget_allows(autotune_candidates(f) * cost, now);
}

/* Goes to the level; to the highest one by autotuning, where there is a choice and time for it. */
static void promote(struct jit_function *f, enum jit_level level, const char *reason,
                    uint64_t now) {
    if (level == JIT_O3 && autotuning_is_due(f, now) && autotune_begin(f, reason))
        return;
    tier_compile(f, level, reason);
}

/* For argument values that were not frequent when the version was made. */
static void renew_clones(struct jit_function *f, uint64_t now) {
    values_renew(f);
    f->policy.autotuned = false;
    if (values_can_specialise(f))
        promote(f, f->level, "new arguments", now);
}

/* Above the interpreter. */
static enum jit_level next_level(const struct jit_function *f, enum jit_level top) {
    enum jit_level next = f->level == JIT_O0 ? tier_after_o0() : f->level + 1;
    return next < top ? next : top;
}

/* Whether what the function has taken in this boot alone would have paid SETTLED times for its next
 * level. Then earlier boots have left it on this one because their budget was used up. Of a
 * function that is seldom called the time may be that of what has interrupted a call. A boot in
 * which nothing else is compiled pays for the compiler's start as well: otherwise boot after boot
 * would pay that for one more small function. */
static bool is_overdue(struct jit_function *f, enum jit_level top, uint64_t now) {
    if (f->level >= top || f->calls < jit_settings()->thresholds[JIT_O1])
        return false;
    double gain = gain_expected(f, budget_running(now), false);
    return gain >= SETTLED * (double)(budget_expect(f, next_level(f, top)) + budget_start());
}

/* Goes to the next level when that is worth it and the budget has room. On O0 the gain is that of
 * optimising: if clones cost too much, there are none until O3. */
static void climb(struct jit_function *f, enum jit_level next, const char *reason, uint64_t now) {
    uint64_t cost = budget_expect(f, next), general = budget_expect_general(f, next);
    if (is_worth(f, cost, now) && budget_allows(cost, now))
        promote(f, next, reason, now);
    else if (f->level == JIT_O0 && is_worth(f, general, now) && budget_allows(general, now))
        tier_compile_general(f, next, reason);
}

/* Whether earlier boots have decided already. A boot that does about the same as they did, with the
 * same arguments, and has the code that they had in the end, does not pay for better code once
 * more. SETTLED allows for code that was chosen in the middle of a boot: it gets more calls in the
 * next one. */
static bool is_settled(struct jit_function *f, enum jit_level top, uint64_t now) {
    return f->calls <= SETTLED * f->policy.usual_calls && !f->policy.tracking.wants_new_clones &&
           !is_overdue(f, top, now);
}

/* After an interpreted call that took self cycles for itself. */
static void leave_interpreter(struct jit_function *f, int64_t self, uint64_t now) {
    uint64_t long_call = jit_settings()->cost_ms * (cpu_cycles_per_second() / 1000);
    uint64_t cost = budget_expect(f, JIT_O0);
    bool due = f->calls >= jit_settings()->thresholds[JIT_O0];
    if (self > 0 && (uint64_t)self >= long_call)
        tier_compile(f, JIT_O0, "a long call");
    else if (due && is_worth(f, cost / WORTH_PART, now) && budget_allows(cost, now))
        tier_compile(f, JIT_O0, "calls");
    else if (f->calls > 1 && is_worth(f, cost, now) &&
             (budget_in_start(now) || budget_allows(cost, now)))
        tier_compile(f, JIT_O0, "time"); /* the first call may be the only one */
}

/* After a call that took self cycles for itself. */
static void decide(struct jit_function *f, int64_t self, uint64_t now) {
    enum jit_level top = tier_top(f), due = tier_due(f, top), next = next_level(f, top);
    uint64_t same_again = budget_expect(f, f->level);
    if (is_settled(f, top, now))
        return;
    if (f->policy.tracking.wants_new_clones && values_can_specialise(f) &&
        gain_time(f) * WORTH_PART >= (int64_t)same_again && budget_allows(same_again, now))
        renew_clones(f, now);
    else if (f->level == JIT_O3 && autotuning_is_due(f, now))
        autotune_begin(f, "time");
    else if (f->level >= top)
        return;
    else if (jit_settings()->budget == 100 && due > f->level)
        promote(f, due, "calls", now);
    else if (f->level == JIT_INTERPRETER)
        leave_interpreter(f, self, now);
    else if (f->calls > 1)
        climb(f, next, due > f->level ? "calls" : "time", now);
}

static struct sample sample_of(const struct jit_function *f, enum jit_level level) {
    const struct jit_times *times = &f->times[level];
    uint32_t mask = level == f->level ? f->sample_mask : 0;
    return (struct sample){
        .stands_for = 1ull << __builtin_popcount(mask),
        .most = times->calls ? times->total / times->calls * UNUSUAL : UINT64_MAX,
    };
}

static void note(struct jit_function *f, enum jit_level level, uint64_t cycles, uint64_t now) {
    struct jit_policy *p = &f->policy;
    struct sample sample = sample_of(f, level);
    uint64_t paused;
    int64_t self = time_end_call(cycles, &sample, &paused);
    jit_times_add(&f->times[level], cycles - paused);
    p->last = budget_running(now);
    if (f->times[level].calls == 1)
        p->since = p->last;
    p->self[level] += self;
    if (!optimize_begin())
        return;
    if (!p->autotune) {
        f->sample_mask = tier_sample_mask(f); /* also for code from the object cache */
        decide(f, self, now);
    } else if (autotune_note_call(f, cycles - paused, now)) {
        f->sample_mask = tier_sample_mask(f);
    }
    report_status(now);
    optimize_end();
}

void jit_note_call(struct jit_function *f, enum jit_level level, uint64_t cycles) {
    struct jit_statistics *s = jit_statistics();
    uint64_t now = jit_clock(), compiling = s->compile_cycles;
    uint32_t flags = jit_float_flags();
    if (s->begin == 0)
        s->begin = now - cycles;
    note(f, level, cycles, now);
    jit_float_set_flags(flags);
    if (s->timed_calls++ % MEASURE_EVERY == 0) {
        uint64_t taken = jit_clock() - now;
        if (taken < INTERRUPTED && s->compile_cycles == compiling)
            s->profiling_cycles += taken * MEASURE_EVERY;
    }
}
