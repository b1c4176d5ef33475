/*
 * What is compiled when. A function is compiled when the time that this is expected to save exceeds
 * what compiling it takes, and the budget allows it. What it has taken on its level, it is expected
 * to take once more: as in the ski-rental problem, waiting until then costs at most as much again
 * as compiling at once would have. But who has been called often is known to go on: it is expected
 * to keep its share of the time for some while. What is interpreted is compiled sooner: after a
 * number of calls, when it has taken a part of the cost, and at once when one call takes long.
 */
#include "kernel_lib/jit/log.h"
#include "kernel_lib/jit/policy/policy.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

#define MEASURE_EVERY 64  /* timed calls: then how long noting one takes is measured */
#define UNUSUAL 16        /* times the average, a call was interrupted */
#define INTERRUPTED 20000 /* cycles: noting a call takes no such time; it was something else */
#define SETTLED 2         /* times the usual calls are about the same */
#define WORTH_PART 4      /* of what compiling costs has to be taken, when it is due by its calls */

/* Of running, in budget_unit()s: so long a function is expected to keep its share of the time, and
 * for so long at least the share is taken of. */
#define HORIZON 1300
#define LEAST_SEEN 65

/* Compiled calls are timed when their number has none of these bits: one in 8 on O2, or of
 * functions that are due for it by their calls, one in 64 on O3; but BURST of them in a row, or of
 * arguments that come in turn, as the matrices of a layer do, always the same ones might be seen.
 */
#define BURST 32
static const uint32_t sample_masks[JIT_LEVELS] = {[JIT_O2] = 7 * BURST, [JIT_O3] = 63 * BURST};

static bool deciding; /* what compiling calls may be timed as well */

bool optimize_begin(void) {
    bool first = !deciding;
    deciding = true;
    return first;
}

void optimize_end(void) {
    deciding = false;
}

enum jit_level optimize_top(const struct jit_function *f) {
    enum jit_level most = jit_settings()->max_level;
    return f->highest < most ? f->highest : most;
}

static enum jit_level due_by_calls(const struct jit_function *f, enum jit_level top) {
    enum jit_level level = top;
    while (level > JIT_INTERPRETER && f->calls < jit_settings()->thresholds[level])
        level--;
    return level;
}

static uint32_t sample_mask_of(const struct jit_function *f) {
    enum jit_level due = due_by_calls(f, JIT_O3);
    return sample_masks[f->level > due ? f->level : due];
}

void optimize_log(const struct jit_function *f, uint64_t cycles) {
    uint64_t now = cpu_rdtsc();
    uint64_t ms = (now - jit_statistics()->begin) / (cpu_cycles_per_second() / 1000);
    jit_log_event("{\"event\":\"tier\",\"function\":\"%s\",\"level\":\"%s\",\"specialised\":%s,"
                  "\"cycles\":%llu,\"reason\":\"%s\",\"ms\":%llu}",
                  f->name, jit_level_name(f->level), f->specialised ? "true" : "false",
                  (unsigned long long)cycles, f->reason, (unsigned long long)ms);
    report_status(now);
}

/* The level that failed is not tried again; with copies for tuples it may be them. */
static void demote(struct jit_function *f, enum jit_level level, enum jit_level highest,
                   bool specialise) {
    jit_statistics()->failed++;
    if (specialise) {
        f->highest = highest;
        f->too_many_tuples = true;
    } else if (f->highest >= level) {
        f->highest = level - 1;
    }
}

void optimize_count(void) {
    if (budget_is_idle())
        jit_statistics()->idle_compiled++;
    else
        jit_statistics()->compiled++;
}

void jit_note_first_code(struct jit_function *f, uint64_t cycles) {
    budget_charge(f, JIT_O0, cycles);
    optimize_count();
    optimize_log(f, cycles);
}

bool optimize_compile(struct jit_function *f, enum jit_level level, const char *reason) {
    bool specialise = level >= JIT_O2 && adaptive_can_specialise(f);
    enum jit_level highest = f->highest;
    uint64_t begin = cpu_rdtsc();
    if (specialise)
        adaptive_choose_tuples(f);
    report_compiling(f, level);
    bool good = jit_compile(f, level, specialise, reason);
    uint64_t cycles = cpu_rdtsc() - begin;
    budget_charge(f, level, cycles);
    if (!good) {
        demote(f, level, highest, specialise);
        return false;
    }
    optimize_count();
    f->sample_mask = sample_mask_of(f);
    adaptive_compiled(f);
    optimize_log(f, cycles);
    return true;
}

/* The time that better code would make shorter: what the function itself has taken on its level. An
 * alternative, which is to be tried on the highest one, also calls other functions than the
 * function does, so before that what these take counts, too. */
static int64_t time_to_gain(const struct jit_function *f, const struct policy *p) {
    const struct jit_times *times = &f->times[f->level];
    if (p->tried || !p->alternatives[0] || f->level < JIT_O2 || times->calls == 0)
        return p->self[f->level];
    return (int64_t)(times->total / times->calls * f->calls);
}

/* The time that it is expected to take from now on: if it goes on, at its share of the time. */
static double time_to_come(const struct jit_function *f, const struct policy *p, uint64_t running,
                           bool goes_on) {
    uint64_t unit = budget_unit(), seen = running - p->since;
    double taken = (double)time_to_gain(f, p);
    if (!goes_on || f->level == JIT_INTERPRETER || seen >= HORIZON * unit)
        return taken;
    seen = seen < LEAST_SEEN * unit ? LEAST_SEEN * unit : seen;
    return taken * (double)(HORIZON * unit) / (double)seen;
}

double optimize_gain(struct jit_function *f, const struct policy *p, uint64_t running,
                     bool goes_on) {
    bool untried = !p->tried && p->alternatives[0] && f->level >= JIT_O2;
    return time_to_come(f, p, running, goes_on) * (untried ? 1 : gain_part(f));
}

/* Whether compiling it for so many cycles saves as much as that. */
static bool is_worth(struct jit_function *f, const struct policy *p, uint64_t cost, uint64_t now) {
    const struct jit_settings *settings = jit_settings();
    bool goes_on = f->calls >= settings->thresholds[JIT_O1] && settings->budget < 100;
    double gain = optimize_gain(f, p, budget_running(now), goes_on);
    return gain > 0 && gain >= (double)cost;
}

static bool trial_is_due(struct jit_function *f, const struct policy *p, uint64_t now) {
    uint64_t cost = budget_expect(f, JIT_O3);
    return !p->tried && is_worth(f, p, cost / WORTH_PART, now) &&
           budget_allows(trial_candidates(f) * cost, now);
}

/* Goes to the level; to the highest one by a trial, where there is a choice that can be paid. */
static void promote(struct jit_function *f, const struct policy *p, enum jit_level level,
                    const char *reason, uint64_t now) {
    if (level == JIT_O3 && trial_is_due(f, p, now) && trial_begin(f, reason))
        return;
    optimize_compile(f, level, reason);
}

/* For arguments that were not seen when the version was made. */
static void renew_copies(struct jit_function *f, struct policy *p, uint64_t now) {
    adaptive_renew(f);
    p->tried = false;
    if (adaptive_can_specialise(f))
        promote(f, p, f->level, "new arguments", now);
}

/* Above the interpreter. O1 is skipped where O2 saves more: it takes not much less to compile. */
static enum jit_level next_level(const struct jit_function *f, enum jit_level top) {
    enum jit_level next = f->level + 1;
    if (next == JIT_O1 && !cpu_features()->tcg)
        next = JIT_O2;
    return next < top ? next : top;
}

/* Whether earlier starts have decided already: a start that does about the same as they did, with
 * the same arguments, and has the code that they had in the end, need not pay for better code again
 * and again. About: what was chosen in the middle of a start gets more calls in the next one. */
static bool is_settled(const struct jit_function *f, const struct policy *p) {
    return f->calls <= SETTLED * p->usual_calls && !p->wants_new_copies;
}

/* After an interpreted call that took self cycles for itself. */
static void leave_interpreter(struct jit_function *f, struct policy *p, int64_t self,
                              uint64_t now) {
    uint64_t long_call = jit_settings()->cost_ms * (cpu_cycles_per_second() / 1000);
    uint64_t cost = budget_expect(f, JIT_O0);
    bool due = f->calls >= jit_settings()->thresholds[JIT_O0];
    if (self > 0 && (uint64_t)self >= long_call)
        optimize_compile(f, JIT_O0, "a long call");
    else if (due && is_worth(f, p, cost / WORTH_PART, now) && budget_allows(cost, now))
        optimize_compile(f, JIT_O0, "calls");
    else if (f->calls > 1 && is_worth(f, p, cost, now) &&
             (budget_in_start(now) || budget_allows(cost, now)))
        optimize_compile(f, JIT_O0, "time"); /* the first call may be the only one */
}

/* After a call that took self cycles for itself. */
static void decide(struct jit_function *f, struct policy *p, int64_t self, uint64_t now) {
    enum jit_level top = optimize_top(f), due = due_by_calls(f, top), next = next_level(f, top);
    uint64_t same_again = budget_expect(f, f->level);
    if (is_settled(f, p))
        return;
    if (p->wants_new_copies && adaptive_can_specialise(f) &&
        time_to_gain(f, p) * WORTH_PART >= (int64_t)same_again && budget_allows(same_again, now))
        renew_copies(f, p, now);
    else if (f->level == JIT_O3 && trial_is_due(f, p, now))
        trial_begin(f, "time");
    else if (f->level >= top)
        return;
    else if (jit_settings()->budget == 100 && due > f->level)
        promote(f, p, due, "calls", now);
    else if (f->level == JIT_INTERPRETER)
        leave_interpreter(f, p, self, now);
    else if (f->calls > 1 && is_worth(f, p, budget_expect(f, next), now) &&
             budget_allows(budget_expect(f, next), now))
        promote(f, p, next, due > f->level ? "calls" : "time", now);
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
    struct policy *p = policy_of(f);
    struct sample sample = sample_of(f, level);
    uint64_t paused;
    int64_t self = time_end_call(cycles, &sample, &paused);
    jit_times_add(&f->times[level], cycles - paused);
    if (!p)
        return;
    if (f->times[level].calls == 1)
        p->since = budget_running(now);
    p->last = budget_running(now);
    p->self[level] += self;
    if (!optimize_begin())
        return;
    if (!p->trial) {
        f->sample_mask = sample_mask_of(f); /* also for code that came from elsewhere */
        decide(f, p, self, now);
    } else if (trial_note_call(f, cycles - paused)) {
        f->sample_mask = sample_mask_of(f);
    }
    report_status(now);
    optimize_end();
}

void jit_note_call(struct jit_function *f, enum jit_level level, uint64_t cycles) {
    struct jit_statistics *s = jit_statistics();
    uint64_t now = cpu_rdtsc(), compiling = s->compile_cycles;
    if (s->begin == 0)
        s->begin = now - cycles;
    note(f, level, cycles, now);
    if (s->timed_calls++ % MEASURE_EVERY == 0) {
        uint64_t taken = cpu_rdtsc() - now;
        if (taken < INTERRUPTED && s->compile_cycles == compiling)
            s->profiling_cycles += taken * MEASURE_EVERY;
    }
}
