/*
 * Candidates for the highest level: which of several versions is the fastest is not believed but
 * timed, on the function's real calls. They take turns in rounds, and only turns of the same round
 * are compared with one another, because calls change as the program goes on: attention looks at
 * more and more positions, and at the next text's beginning again at few. Of a turn the shortest
 * call with each tuple of arguments counts, and of the rounds the one in the middle.
 */
#include "kernel_lib/jit/log.h"
#include "kernel_lib/jit/persist.h"
#include "kernel_lib/jit/policy.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

#define CANDIDATES 8
#define ROUNDS 5         /* odd: one is in the middle */
#define TURN_CALLS 32    /* so that rare tuples are among them */
#define OTHER JIT_TUPLES /* where calls count of a function without tuples */

struct candidate {
    struct jit_function *body;
    enum jit_level level;
    unsigned shape;
    struct jit_version *version;            /* NULL before its first turn */
    uint64_t least[ROUNDS][JIT_TUPLES + 1]; /* UINT64_MAX: no call */
};

struct trial {
    struct candidate candidates[CANDIDATES];
    unsigned count, current, round, calls_left;
    bool specialise;
    const char *reason;
    uint64_t cycles; /* of compiling */
};

static void add(struct trial *trial, struct jit_function *body, enum jit_level level,
                unsigned shape) {
    if (trial->count < CANDIDATES)
        trial->candidates[trial->count++] =
            (struct candidate){.body = body, .level = level, .shape = shape};
}

/* Under emulation an instruction that is wider than others need be is never right (one is enough
 * to make all later float code slower). Where there are alternatives they were written for what
 * this CPU has, and so need not be compiled for it, nor in the hope of wider code by themselves.
 * What has run up to now is among them (made again, for the arguments of now), or it might be
 * exchanged for something slower. */
static void list_candidates(struct trial *trial, struct jit_function *f, const struct policy *p) {
    bool wide = !cpu_features()->tcg;
    add(trial, f, JIT_O3, JIT_AS_WRITTEN);
    if (!wide || !p->alternatives[0])
        add(trial, f, JIT_O3, JIT_FREE_LOOPS);
    if (wide && !p->alternatives[0]) {
        add(trial, f, JIT_O3, JIT_ALL_FEATURES);
        add(trial, f, JIT_O3, JIT_ALL_FEATURES | JIT_FREE_LOOPS);
    }
    for (int i = 0; wide && i < JIT_ALTERNATIVES && p->alternatives[i]; i++)
        add(trial, p->alternatives[i], JIT_O3, JIT_AS_WRITTEN);
    if (f->level == JIT_O1 || f->level == JIT_O2)
        add(trial, f, f->level, JIT_AS_WRITTEN);
}

unsigned trial_candidates(struct jit_function *f) {
    struct policy *p = policy_of(f);
    struct trial trial = {.count = 0};
    if (p)
        list_candidates(&trial, f, p);
    return p ? trial.count : 1;
}

/* Whose turn it is. Every other round goes backwards, so that on average all turns are at the same
 * time. */
static unsigned index_of_turn(const struct trial *trial) {
    return trial->round % 2 ? trial->count - 1 - trial->current : trial->current;
}

static void forget(struct trial *trial, unsigned index) {
    for (unsigned i = index + 1; i < trial->count; i++)
        trial->candidates[i - 1] = trial->candidates[i];
    trial->count--;
}

/* Makes the candidate's code. */
static void make(struct jit_function *f, struct trial *trial, struct candidate *c) {
    uint64_t begin = cpu_rdtsc();
    report_compiling(f, c->level);
    c->version = jit_make(f, c->body, c->level, trial->specialise && c->level >= JIT_O2, c->shape);
    uint64_t cycles = cpu_rdtsc() - begin;
    budget_charge(f, c->level, cycles);
    trial->cycles += cycles;
    if (c->version)
        optimize_count();
    memset(c->least, 0xFF, sizeof c->least);
}

/* Lets the current candidate run, which is made if that was not done yet; those that cannot be made
 * are left out. False when none is left to the round's end. */
static bool begin_turn(struct jit_function *f, struct trial *trial) {
    while (trial->current < trial->count) {
        struct candidate *c = &trial->candidates[index_of_turn(trial)];
        if (!c->version) /* in the first round */
            make(f, trial, c);
        if (c->version) {
            jit_install(f, c->version, "on trial");
            adaptive_compiled(f);
            f->sample_mask = 0;
            trial->calls_left = TURN_CALLS;
            return true;
        }
        jit_statistics()->failed++;
        forget(trial, trial->current);
    }
    return false;
}

bool trial_begin(struct jit_function *f, const char *reason) {
    struct policy *p = policy_of(f);
    struct trial *trial = p ? calloc(1, sizeof *trial) : NULL;
    if (!trial)
        return false;
    trial->specialise = adaptive_can_specialise(f);
    trial->reason = reason;
    if (trial->specialise)
        adaptive_choose_tuples(f);
    list_candidates(trial, f, p);
    if (!begin_turn(f, trial)) {
        free(trial);
        return false;
    }
    p->trial = trial;
    p->tried = true;
    return true;
}

bool trial_prepare(struct jit_function *f) {
    struct trial *trial = policy_of(f)->trial;
    for (unsigned i = 0; i < trial->count; i++)
        if (!trial->candidates[i].version) {
            make(f, trial, &trial->candidates[i]);
            if (trial->candidates[i].version)
                return true;
            jit_statistics()->failed++;
            forget(trial, i);
            i--;
        }
    return false;
}

/* Whether each candidate had a call with this tuple in the round. */
static bool had_all(const struct trial *trial, unsigned round, unsigned tuple) {
    for (unsigned i = 0; i < trial->count; i++)
        if (trial->candidates[i].least[round][tuple] == UINT64_MAX)
            return false;
    return true;
}

/* Cycles of a candidate's call with this tuple: its share of a round's cycles, in the middle round
 * by that, of those of a round on average. 0 when there is no round to compare in. */
static double cycles_with(const struct trial *trial, const struct candidate *c, unsigned tuple) {
    double shares[ROUNDS], all = 0;
    unsigned rounds = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        if (!had_all(trial, round, tuple))
            continue;
        double sum = 0;
        for (unsigned i = 0; i < trial->count; i++)
            sum += (double)trial->candidates[i].least[round][tuple];
        if (sum == 0)
            continue;
        double share = (double)c->least[round][tuple] / sum;
        unsigned place = rounds++;
        for (; place > 0 && shares[place - 1] > share; place--)
            shares[place] = shares[place - 1];
        shares[place] = share;
        all += sum;
    }
    return rounds ? shares[rounds / 2] * all / rounds : 0;
}

/* Average cycles of a call, each tuple by its part of the calls. */
static double score(const struct jit_function *f, const struct trial *trial,
                    const struct candidate *c) {
    double cycles = 0, calls = 0;
    for (unsigned t = 0; t <= JIT_TUPLES; t++) {
        double of_tuple = cycles_with(trial, c, t);
        double weight = t == OTHER ? 1 : (double)f->tuples[t].calls;
        cycles += weight * of_tuple;
        calls += of_tuple > 0 ? weight : 0;
    }
    return calls > 0 ? cycles / calls : 0;
}

static void log_candidate(const struct jit_function *f, const struct candidate *c, uint64_t cycles,
                          bool chosen) {
    jit_log_event("{\"event\":\"candidate\",\"function\":\"%s\",\"body\":\"%s\",\"level\":\"%s\","
                  "\"features\":\"%s\","
                  "\"loops\":\"%s\",\"cycles\":%llu,\"chosen\":%s}",
                  f->name, c->body->name, jit_level_name(c->level),
                  c->shape & JIT_ALL_FEATURES ? "all" : "as written",
                  c->shape & JIT_FREE_LOOPS ? "free" : "as written", (unsigned long long)cycles,
                  chosen ? "true" : "false");
}

static void finish(struct jit_function *f, struct policy *p) {
    struct trial *trial = p->trial;
    unsigned best = 0;
    for (unsigned i = 1; i < trial->count; i++)
        if (score(f, trial, &trial->candidates[i]) < score(f, trial, &trial->candidates[best]))
            best = i;
    for (unsigned i = 0; i < trial->count; i++) {
        const struct candidate *c = &trial->candidates[i];
        uint64_t cycles = (uint64_t)(score(f, trial, c) + 0.5);
        log_candidate(f, c, cycles, i == best);
        if (c->level == JIT_O3)
            jit_profile_note_candidate(f, c->body, c->shape, cycles, i == best);
    }
    jit_install(f, trial->candidates[best].version, trial->reason);
    adaptive_compiled(f);
    if (f->level < JIT_O3)
        f->highest = f->level; /* none above is faster */
    optimize_log(f, trial->cycles);
    for (unsigned i = 0; i < trial->count; i++)
        jit_release(trial->candidates[i].version);
    free(trial);
    p->trial = NULL;
}

bool trial_note_call(struct jit_function *f, uint64_t cycles) {
    struct policy *p = policy_of(f);
    struct trial *trial = p->trial;
    uint64_t *least = trial->candidates[index_of_turn(trial)].least[trial->round];
    int tuple = f->arguments ? p->last_tuple : OTHER;
    if (tuple >= 0 && cycles < least[tuple])
        least[tuple] = cycles;
    if (--trial->calls_left > 0)
        return false;
    trial->current++;
    while (trial->round < ROUNDS && !begin_turn(f, trial)) {
        trial->current = 0;
        trial->round++;
    }
    if (trial->round < ROUNDS)
        return false;
    finish(f, p);
    return true;
}
