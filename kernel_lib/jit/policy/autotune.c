/*
 * Autotuning, in rounds. In each round every candidate has one turn of calls.
 *
 * What a call takes may depend on what no argument tells: calls of attention get longer with the
 * text, and short again where the next text begins. Therefore the rounds are spread over many
 * calls, at random distances, and the turns of a round follow each other closely. What counts is
 * the sum over all rounds, in which a call has the weight of its cycles.
 */
#include "kernel_lib/jit/policy/autotune.h"
#include "kernel_lib/jit/clock.h"
#include "kernel_lib/jit/log.h"
#include "kernel_lib/jit/policy/budget.h"
#include "kernel_lib/jit/policy/report.h"
#include "kernel_lib/jit/policy/tiers.h"
#include "kernel_lib/jit/policy/value_profile.h"
#include "kernel_lib/jit_runtime.h"
#include <inttypes.h>

#define CANDIDATES 8
/* Calls are told apart by the frequent argument values that they had. */
#define OTHER JIT_FREQUENT /* a call that had none of them */
#define KINDS (OTHER + 1)  /* of calls */
#define WARM_UP 4          /* calls at a turn's begin that do not count: the caches are cold */
#define TURN_CALLS 24      /* after these */
#define SHORTER(n) ((n) - (n) / 4) /* of n calls, those that no interrupt has hit */

/* Between two rounds are on average GAP_CALLS calls, or GAP_UNITS budget_unit()s of running if
 * these are over sooner. There are ROUNDS rounds, or as many as LONGEST_UNITS allow, but at
 * least LEAST_ROUNDS. */
#define GAP_CALLS 1024
#define GAP_UNITS 8
#define ROUNDS 32
#define LEAST_ROUNDS 6
#define LONGEST_UNITS 256
#define GAP_MASK (7u * 32) /* of calls between rounds, these are timed: sample_mask */

struct candidate {
    struct jit_function *body;
    enum jit_level level;
    unsigned options;
    struct jit_version *version; /* NULL before its first turn */
    double round[KINDS];         /* cycles of a call in this round; 0: there was none */
    double sum[KINDS];           /* of the rounds that count */
};

struct call {
    uint64_t cycles;
    unsigned kind;
};

struct autotune {
    struct candidate candidates[CANDIDATES];
    unsigned count, current, round;
    unsigned rounds[KINDS]; /* that count: each candidate had a call of this kind */
    struct call calls[WARM_UP + TURN_CALLS];
    unsigned call;     /* of the turn */
    bool resting;      /* between two rounds ... */
    uint64_t end_call; /* ... until the function's call with this number ... */
    uint64_t end_time; /* ... or this time of budget_running() */
    uint64_t begin;    /* the same at the first round's begin */
    uint32_t random;
    bool specialise;
    const char *reason;
    uint64_t cycles; /* of compiling */
};

static void add(struct autotune *a, struct jit_function *body, enum jit_level level,
                unsigned options) {
    if (a->count < CANDIDATES)
        a->candidates[a->count++] =
            (struct candidate){.body = body, .level = level, .options = options};
}

/* Under emulation instructions that are wider than necessary are not tried: one is enough to
 * make all later float code slower. Alternatives were written for what this CPU has: neither
 * they nor the function that has them are compiled with all of its features, or with loops that
 * the source keeps as they are. What has run up to now is a candidate, too (made again, for the
 * argument values of now): otherwise it might be exchanged for something slower. */
static void list_candidates(struct autotune *a, struct jit_function *f) {
    struct jit_function *const *alternatives = f->policy.alternatives;
    bool wide = !cpu_features()->tcg;
    add(a, f, JIT_O3, JIT_AS_WRITTEN);
    if (!wide || !alternatives[0])
        add(a, f, JIT_O3, JIT_FREE_LOOPS);
    if (wide && !alternatives[0]) {
        add(a, f, JIT_O3, JIT_ALL_FEATURES);
        add(a, f, JIT_O3, JIT_ALL_FEATURES | JIT_FREE_LOOPS);
    }
    for (int i = 0; wide && i < JIT_ALTERNATIVES && alternatives[i]; i++)
        add(a, alternatives[i], JIT_O3, JIT_AS_WRITTEN);
    if (f->level == JIT_O1 || f->level == JIT_O2)
        add(a, f, f->level, JIT_AS_WRITTEN);
}

unsigned autotune_candidates(struct jit_function *f) {
    struct autotune a = {.count = 0};
    list_candidates(&a, f);
    return a.count;
}

/* The candidate whose turn it is. Every other round goes backwards, so that on average all turns
 * are at the same time. */
static unsigned index_of_turn(const struct autotune *a) {
    return a->round % 2 ? a->count - 1 - a->current : a->current;
}

static void forget(struct autotune *a, unsigned index) {
    for (unsigned i = index + 1; i < a->count; i++)
        a->candidates[i - 1] = a->candidates[i];
    a->count--;
}

/* Makes the candidate's code. */
static void make(struct jit_function *f, struct autotune *a, struct candidate *c) {
    uint64_t begin = jit_clock();
    report_compiling(f, c->level);
    bool specialise = a->specialise && c->level >= JIT_O2;
    c->version = jit_make(f, c->body, c->level, specialise, c->options);
    uint64_t cycles = jit_clock() - begin;
    budget_charge(f, c->level, specialise, cycles);
    a->cycles += cycles;
    if (c->version)
        budget_count();
}

/* Lets the current candidate run, which is made if that was not done yet; those that cannot be made
 * are left out. False when none is left to the round's end. */
static bool begin_turn(struct jit_function *f, struct autotune *a) {
    while (a->current < a->count) {
        struct candidate *c = &a->candidates[index_of_turn(a)];
        if (!c->version) /* in the first round */
            make(f, a, c);
        if (c->version) {
            f->autotuning = true;
            jit_install(f, c->version, "autotuning");
            values_compiled(f);
            f->sample_mask = 0;
            a->call = 0;
            return true;
        }
        jit_statistics()->failed++;
        forget(a, a->current);
    }
    return false;
}

bool autotune_begin(struct jit_function *f, const char *reason) {
    struct autotune *a = calloc(1, sizeof *a);
    if (!a)
        return false;
    a->specialise = values_can_specialise(f);
    a->reason = reason;
    a->random = 1;
    if (a->specialise)
        values_select(f);
    list_candidates(a, f);
    if (!begin_turn(f, a)) {
        free(a);
        return false;
    }
    f->policy.autotune = a;
    a->begin = budget_running(jit_clock());
    f->policy.autotuned = true;
    return true;
}

bool autotune_prepare(struct jit_function *f) {
    struct autotune *a = f->policy.autotune;
    for (unsigned i = 0; i < a->count; i++)
        if (!a->candidates[i].version) {
            make(f, a, &a->candidates[i]);
            if (a->candidates[i].version)
                return true;
            jit_statistics()->failed++;
            forget(a, i);
            i--;
        }
    return false;
}

/* ---- What the calls say ---- */

static void insert(uint64_t *sorted, unsigned count, uint64_t value) {
    for (; count > 0 && sorted[count - 1] > value; count--)
        sorted[count] = sorted[count - 1];
    sorted[count] = value;
}

/* Cycles of a call of this kind in the turn that has ended: the average of the shorter ones. */
static double of_turn(const struct autotune *a, unsigned kind) {
    uint64_t sorted[TURN_CALLS];
    unsigned count = 0;
    for (unsigned i = WARM_UP; i < WARM_UP + TURN_CALLS; i++)
        if (a->calls[i].kind == kind)
            insert(sorted, count++, a->calls[i].cycles);
    double sum = 0;
    for (unsigned i = 0; i < SHORTER(count); i++)
        sum += (double)sorted[i];
    return count ? sum / SHORTER(count) : 0;
}

static void end_turn(struct autotune *a) {
    struct candidate *c = &a->candidates[index_of_turn(a)];
    for (unsigned kind = 0; kind < KINDS; kind++)
        c->round[kind] = of_turn(a, kind);
}

/* Whether each candidate had a call of this kind in the round. */
static bool had_all(const struct autotune *a, unsigned kind) {
    for (unsigned i = 0; i < a->count; i++)
        if (a->candidates[i].round[kind] == 0)
            return false;
    return true;
}

static void end_round(struct autotune *a) {
    for (unsigned kind = 0; kind < KINDS; kind++) {
        if (!had_all(a, kind))
            continue;
        a->rounds[kind]++;
        for (unsigned i = 0; i < a->count; i++)
            a->candidates[i].sum[kind] += a->candidates[i].round[kind];
    }
}

/* Average cycles of a call, each kind weighted by its part of the calls. Those with other argument
 * values have the weight of one call: they decide if there are nearly no others. */
static double score(const struct jit_function *f, const struct autotune *a,
                    const struct candidate *c) {
    double cycles = 0, calls = 0;
    for (unsigned kind = 0; kind < KINDS; kind++) {
        double weight = kind == OTHER ? 1 : (double)f->values.frequent[kind].calls;
        if (a->rounds[kind] == 0)
            continue;
        cycles += weight * c->sum[kind] / a->rounds[kind];
        calls += weight;
    }
    return calls > 0 ? cycles / calls : 0;
}

static unsigned best_of(const struct jit_function *f, const struct autotune *a) {
    unsigned best = 0;
    for (unsigned i = 1; i < a->count; i++)
        if (score(f, a, &a->candidates[i]) < score(f, a, &a->candidates[best]))
            best = i;
    return best;
}

static void install_best(struct jit_function *f, const struct autotune *a) {
    f->autotuning = false;
    jit_install(f, a->candidates[best_of(f, a)].version, a->reason);
    values_compiled(f);
}

static void tell_candidate(const struct jit_function *f, const struct candidate *c, uint64_t cycles,
                           bool chosen) {
    jit_log_event("{\"event\":\"candidate\",\"function\":\"%s\",\"body\":\"%s\",\"level\":\"%s\","
                  "\"features\":\"%s\",\"loops\":\"%s\",\"cycles\":%" PRIu64 ",\"chosen\":%s}",
                  f->name, c->body->name, jit_level_name(c->level),
                  c->options & JIT_ALL_FEATURES ? "all" : "as written",
                  c->options & JIT_FREE_LOOPS ? "free" : "as written", cycles,
                  chosen ? "true" : "false");
}

/* Keeps the measurement for the profile, in the place of an earlier one of the same candidate. */
static void record_candidate(struct jit_candidates *candidates, const struct candidate *c,
                             uint64_t cycles, bool chosen) {
    unsigned place = 0;
    while (place < candidates->count && (candidates->list[place].body != c->body ||
                                         candidates->list[place].options != c->options))
        place++;
    if (place == JIT_CANDIDATES)
        return;
    candidates->list[place] = (struct jit_candidate){c->body, c->options, cycles, chosen};
    if (place == candidates->count)
        candidates->count++;
}

static void finish(struct jit_function *f) {
    struct autotune *a = f->policy.autotune;
    unsigned best = best_of(f, a);
    for (unsigned i = 0; i < a->count; i++) {
        const struct candidate *c = &a->candidates[i];
        uint64_t cycles = (uint64_t)(score(f, a, c) + 0.5);
        tell_candidate(f, c, cycles, i == best);
        if (c->level == JIT_O3)
            record_candidate(&f->candidates, c, cycles, i == best);
    }
    install_best(f, a);
    if (f->level < JIT_O3)
        f->highest = f->level; /* none above is faster */
    tier_tell(f, a->cycles);
    for (unsigned i = 0; i < a->count; i++)
        jit_release(a->candidates[i].version);
    free(a);
    f->policy.autotune = NULL;
}

/* ---- Rounds ---- */

static uint32_t next_random(struct autotune *a) {
    a->random ^= a->random << 13; /* Marsaglia's xorshift */
    a->random ^= a->random >> 17;
    a->random ^= a->random << 5;
    return a->random;
}

/* Until the next round the candidate runs that has been the fastest up to now. */
static void rest(struct jit_function *f, struct autotune *a, uint64_t running) {
    a->resting = true;
    a->end_call = f->calls + GAP_CALLS / 2 + next_random(a) % GAP_CALLS;
    a->end_time = running + GAP_UNITS * budget_unit();
    install_best(f, a);
    f->sample_mask = GAP_MASK;
}

/* The round is over; false when it was the last one. */
static bool go_on(struct jit_function *f) {
    struct autotune *a = f->policy.autotune;
    uint64_t running =
        budget_running(jit_clock()); /* a candidate may have been compiled just now */
    end_round(a);
    a->current = 0;
    if (++a->round == ROUNDS ||
        (a->round >= LEAST_ROUNDS && running - a->begin >= LONGEST_UNITS * budget_unit())) {
        finish(f);
        return false;
    }
    rest(f, a, running);
    return true;
}

bool autotune_note_call(struct jit_function *f, uint64_t cycles, uint64_t now) {
    struct autotune *a = f->policy.autotune;
    if (a->resting) {
        if (f->calls < a->end_call && budget_running(now) < a->end_time)
            return false;
        a->resting = false;
        begin_turn(f, a);
        return false;
    }
    int frequent = f->values.arguments ? f->policy.tracking.last : -1;
    unsigned kind = frequent >= 0 ? (unsigned)frequent : OTHER;
    a->calls[a->call++] = (struct call){cycles, kind};
    if (a->call < WARM_UP + TURN_CALLS)
        return false;
    end_turn(a);
    a->current++;
    return !begin_turn(f, a) && !go_on(f);
}
