/*
 * What is compiled when. A function is due for a level from a number of calls on; it is compiled
 * then if the budget allows that, or if the time it has taken pays for it. Without being due it is
 * compiled when one interpreted call takes long, or when the time that it has taken on its level
 * exceeds what compiling it takes: as in the ski-rental problem, waiting until then costs at most
 * as much as compiling at once would have.
 */
#include "kernel_lib/jit/log.h"
#include "kernel_lib/jit/persist.h"
#include "kernel_lib/jit/policy.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

#define MEASURE_EVERY 64  /* timed calls: then how long noting one takes is measured */
#define UNUSUAL 16        /* times the average, a call was interrupted */
#define INTERRUPTED 20000 /* cycles: noting a call takes no such time; it was something else */
#define SETTLED 2         /* times the usual calls are about the same */
#define WORTH_PART 4    /* of what compiling costs has to be taken, to be worth it by calls alone */
#define WORTH_PERCENT 1 /* of all time: what jit_optimize_hot_functions() takes for hot */

/* Compiled calls are timed when their number has none of these bits: one in 8 on O2, or of
 * functions that are due for it by their calls, one in 64 on O3; but BURST of them in a row, or of
 * arguments that come in turn, as the matrices of a layer do, always the same ones might be seen.
 */
#define BURST 32
static const uint32_t sample_masks[JIT_LEVELS] = {[JIT_O2] = 7 * BURST, [JIT_O3] = 63 * BURST};

/* Of the time that a function takes on its level, better code can be expected to save one part in
 * so many: little of what is optimised already, where wider instructions are not tried. */
static uint64_t saved_part(const struct jit_function *f) {
    return f->level >= JIT_O1 && cpu_features()->tcg ? 8 : 1;
}

static bool deciding; /* what compiling calls may be timed as well */

static enum jit_level top_of(const struct jit_function *f) {
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

static struct policy *make_policies(struct jit_function *functions, size_t count) {
    struct policy *policies = calloc(count, sizeof *policies);
    bool was_limited = jit_profile_max_level() < jit_settings()->max_level;
    for (size_t i = 0; policies && i < count; i++) {
        policies[i].last_tuple = -1;
        policies[i].tried = functions[i].level == JIT_O3; /* in an earlier start */
        if (functions[i].level >= jit_profile_last_level(&functions[i]) && !was_limited)
            policies[i].usual_calls = jit_profile_usual_calls(&functions[i]);
        if (functions[i].specialised)
            policies[i].copies = (uint8_t)((1u << functions[i].tuple_count) - 1);
    }
    return policies;
}

struct policy *policy_of(struct jit_function *function) {
    static struct policy *policies;
    static bool tried;
    size_t count;
    struct jit_function *functions = jit_functions(&count);
    if (!tried)
        policies = make_policies(functions, count);
    tried = true;
    return policies ? &policies[function - functions] : NULL;
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
    jit_statistics()->compiled++;
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

/* Whether that is as much as this. */
static bool paid(const struct jit_function *f, const struct policy *p, uint64_t cost) {
    int64_t time = time_to_gain(f, p);
    return time > 0 && (uint64_t)time >= cost;
}

/* Whether a compilation for its calls alone is worth its cost: those that hardly take time are put
 * behind those that do. */
static bool is_worth(const struct jit_function *f, const struct policy *p, uint64_t cost) {
    return paid(f, p, cost * saved_part(f) / WORTH_PART);
}

static bool trial_is_due(struct jit_function *f, const struct policy *p, uint64_t now) {
    if (p->tried || !is_worth(f, p, budget_expect(f, JIT_O3)))
        return false;
    uint64_t cost = trial_candidates(f) * budget_expect(f, JIT_O3);
    return paid(f, p, cost * saved_part(f)) || budget_allows(cost, true, now);
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

/* The next level of a function that takes time: O1 saves too little of it for a compilation of its
 * own. */
static enum jit_level next_by_time(enum jit_level level, enum jit_level top) {
    enum jit_level next = level == JIT_INTERPRETER ? JIT_O0 : level < JIT_O2 ? JIT_O2 : JIT_O3;
    return next < top ? next : top;
}

/* Whether earlier starts have decided already: a start that does about the same as they did, with
 * the same arguments, and has the code that they had in the end, need not pay for better code again
 * and again. About: what was chosen in the middle of a start gets more calls in the next one. */
static bool is_settled(const struct jit_function *f, const struct policy *p) {
    return f->calls <= SETTLED * p->usual_calls && !p->wants_new_copies;
}

/* Whether what it has taken on its level pays for the next one. */
static bool time_suffices(const struct jit_function *f, const struct policy *p,
                          enum jit_level next) {
    return paid(f, p, budget_expect(f, next) * saved_part(f));
}

/* Whether calls, once it is due by them, are reason enough to compile. */
static bool calls_suffice(const struct jit_function *f, const struct policy *p, enum jit_level due,
                          uint64_t now) {
    uint64_t cost = budget_expect(f, due);
    bool worth = saved_part(f) == 1 && is_worth(f, p, cost);
    return time_suffices(f, p, due) || budget_allows(cost, worth, now);
}

/* The level to go to for its calls: rather O2 than O1, which takes not much less to compile. */
static enum jit_level level_by_calls(const struct jit_function *f, const struct policy *p,
                                     enum jit_level due, enum jit_level top, uint64_t now) {
    uint64_t cost = budget_expect(f, JIT_O2);
    bool skip = due == JIT_O1 && top >= JIT_O2 && jit_settings()->budget < 100;
    return skip && is_worth(f, p, cost) && budget_allows(cost, true, now) ? JIT_O2 : due;
}

/* After a call that took self cycles for itself. */
static void decide(struct jit_function *f, struct policy *p, int64_t self, uint64_t now) {
    enum jit_level top = top_of(f), due = due_by_calls(f, top);
    enum jit_level next = next_by_time(f->level, top);
    uint64_t long_call = jit_settings()->cost_ms * (cpu_cycles_per_second() / 1000);
    uint64_t same_again = budget_expect(f, f->level);
    if (is_settled(f, p))
        return;
    if (p->wants_new_copies && adaptive_can_specialise(f) && is_worth(f, p, same_again) &&
        budget_allows(same_again, true, now))
        renew_copies(f, p, now);
    else if (f->level == JIT_O3 && trial_is_due(f, p, now))
        trial_begin(f, "time");
    else if (f->level >= top)
        return;
    else if (f->level == JIT_INTERPRETER && self > 0 && (uint64_t)self >= long_call)
        promote(f, p, next, "a long call", now);
    else if (due > f->level && due >= next && calls_suffice(f, p, due, now))
        promote(f, p, level_by_calls(f, p, due, top, now), "calls", now);
    else if (f->calls > 1 && time_suffices(f, p, next)) /* the first may be the only one */
        promote(f, p, next, "time", now);
    else if (due > f->level && calls_suffice(f, p, due, now))
        promote(f, p, level_by_calls(f, p, due, top, now), "calls", now);
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
    p->self[level] += self;
    if (deciding)
        return;
    deciding = true;
    if (!p->trial) {
        f->sample_mask = sample_mask_of(f); /* also for code that came from elsewhere */
        decide(f, p, self, now);
    } else if (trial_note_call(f, cycles - paused)) {
        f->sample_mask = sample_mask_of(f);
    }
    report_status(now);
    deciding = false;
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

/* ---- For the application ---- */

bool jit_available(void) {
    return true;
}

size_t jit_optimize_hot_functions(void) {
    size_t count, compiled = 0;
    struct jit_function *functions = jit_functions(&count);
    int64_t total = 0;
    for (size_t i = 0; i < count; i++) {
        struct policy *p = policy_of(&functions[i]);
        for (int l = 0; p && l < JIT_LEVELS; l++)
            total += p->self[l];
    }
    for (size_t i = 0; i < count && !deciding; i++) {
        struct jit_function *f = &functions[i];
        struct policy *p = policy_of(f);
        int64_t self = 0;
        for (int l = 0; p && l < JIT_LEVELS; l++)
            self += p->self[l];
        if (p && !p->trial && self > 0 && self >= total / 100 * WORTH_PERCENT &&
            f->level < top_of(f))
            compiled += optimize_compile(f, top_of(f), "asked for");
    }
    return compiled;
}

const char *jit_get_optimization_level(const char *name) {
    size_t count;
    struct jit_function *functions = jit_functions(&count);
    for (size_t i = 0; i < count; i++)
        if (strcmp(functions[i].name, name) == 0)
            return jit_level_name(functions[i].level);
    return NULL;
}

bool jit_add_alternative(const void *function, const void *other) {
    struct jit_function *f = jit_function_at(function), *alternative = jit_function_at(other);
    struct policy *p = f ? policy_of(f) : NULL;
    for (int i = 0; p && alternative && i < JIT_ALTERNATIVES; i++)
        if (!p->alternatives[i]) {
            p->alternatives[i] = alternative;
            return true;
        }
    return false;
}
