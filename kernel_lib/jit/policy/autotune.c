/*
 * Candidates for the highest level: which of several versions is the fastest is not believed but
 * timed, on the function's real calls. They take turns in rounds. What a call takes may depend on
 * what no argument tells: attention's calls get longer with the text, and short again at the next
 * one's beginning. Therefore the rounds are spread over many calls, at random distances; each
 * candidate's turn of a round is close to the others' of the same round; and what counts is the sum
 * over all rounds, in which a call has the weight of its cycles.
 */
#include "kernel_lib/jit/log.h"
#include "kernel_lib/jit/policy/policy.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit/store/persist.h"
#include "kernel_lib/jit_runtime.h"

#define CANDIDATES 8
#define OTHER JIT_TUPLES   /* where calls count of a function without tuples */
#define TUPLES (OTHER + 1) /* and those with */
#define WARM_UP 4          /* calls at a turn's begin that do not count: the code is not at hand */
#define TURN_CALLS 24      /* after these */
#define SHORTER(n) ((n) - (n) / 4) /* of so many calls, those that no interrupt has hit */

/* Between two rounds are on average so many calls, or budget_unit()s of running if they are fewer.
 * There are so many rounds, or as many as that time allows. */
#define GAP_CALLS 1024
#define GAP_UNITS 8
#define ROUNDS 32
#define LEAST_ROUNDS 6
#define LONGEST_UNITS 256
#define GAP_MASK (7u * 32) /* of calls between rounds, these are timed: sample_mask */

struct candidate {
    struct jit_function *body;
    enum jit_level level;
    unsigned shape;
    struct jit_version *version; /* NULL before its first turn */
    double round[TUPLES];        /* cycles of a call in this round; 0: there was none */
    double sum[TUPLES];          /* of the rounds that count */
};

struct call {
    uint64_t cycles;
    int tuple; /* -1: of none */
};

struct trial {
    struct candidate candidates[CANDIDATES];
    unsigned count, current, round;
    unsigned rounds[TUPLES]; /* that count: each candidate had a call with this tuple */
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
}

/* Lets the current candidate run, which is made if that was not done yet; those that cannot be made
 * are left out. False when none is left to the round's end. */
static bool begin_turn(struct jit_function *f, struct trial *trial) {
    while (trial->current < trial->count) {
        struct candidate *c = &trial->candidates[index_of_turn(trial)];
        if (!c->version) /* in the first round */
            make(f, trial, c);
        if (c->version) {
            f->on_trial = true;
            jit_install(f, c->version, "on trial");
            adaptive_compiled(f);
            f->sample_mask = 0;
            trial->call = 0;
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
    trial->random = 1;
    if (trial->specialise)
        adaptive_choose_tuples(f);
    list_candidates(trial, f, p);
    if (!begin_turn(f, trial)) {
        free(trial);
        return false;
    }
    p->trial = trial;
    trial->begin = budget_running(cpu_rdtsc());
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

/* ---- What the calls say ---- */

static void insert(uint64_t *sorted, unsigned count, uint64_t value) {
    for (; count > 0 && sorted[count - 1] > value; count--)
        sorted[count] = sorted[count - 1];
    sorted[count] = value;
}

/* Cycles of a call with this tuple in the turn that has ended: the average of the shorter ones. */
static double of_turn(const struct trial *trial, int tuple) {
    uint64_t sorted[TURN_CALLS];
    unsigned count = 0;
    for (unsigned i = WARM_UP; i < WARM_UP + TURN_CALLS; i++)
        if (trial->calls[i].tuple == tuple)
            insert(sorted, count++, trial->calls[i].cycles);
    double sum = 0;
    for (unsigned i = 0; i < SHORTER(count); i++)
        sum += (double)sorted[i];
    return count ? sum / SHORTER(count) : 0;
}

static void end_turn(struct trial *trial) {
    struct candidate *c = &trial->candidates[index_of_turn(trial)];
    for (int tuple = 0; tuple < TUPLES; tuple++)
        c->round[tuple] = of_turn(trial, tuple);
}

/* Whether each candidate had a call with this tuple in the round. */
static bool had_all(const struct trial *trial, unsigned tuple) {
    for (unsigned i = 0; i < trial->count; i++)
        if (trial->candidates[i].round[tuple] == 0)
            return false;
    return true;
}

static void end_round(struct trial *trial) {
    for (unsigned tuple = 0; tuple < TUPLES; tuple++) {
        if (!had_all(trial, tuple))
            continue;
        trial->rounds[tuple]++;
        for (unsigned i = 0; i < trial->count; i++)
            trial->candidates[i].sum[tuple] += trial->candidates[i].round[tuple];
    }
}

/* Average cycles of a call, each tuple by its part of the calls. */
static double score(const struct jit_function *f, const struct trial *trial,
                    const struct candidate *c) {
    double cycles = 0, calls = 0;
    for (unsigned t = 0; t < TUPLES; t++) {
        double weight = t == OTHER ? 1 : (double)f->tuples[t].calls;
        if (trial->rounds[t] == 0)
            continue;
        cycles += weight * c->sum[t] / trial->rounds[t];
        calls += weight;
    }
    return calls > 0 ? cycles / calls : 0;
}

static unsigned best_of(const struct jit_function *f, const struct trial *trial) {
    unsigned best = 0;
    for (unsigned i = 1; i < trial->count; i++)
        if (score(f, trial, &trial->candidates[i]) < score(f, trial, &trial->candidates[best]))
            best = i;
    return best;
}

static void install_best(struct jit_function *f, const struct trial *trial) {
    f->on_trial = false;
    jit_install(f, trial->candidates[best_of(f, trial)].version, trial->reason);
    adaptive_compiled(f);
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
    unsigned best = best_of(f, trial);
    for (unsigned i = 0; i < trial->count; i++) {
        const struct candidate *c = &trial->candidates[i];
        uint64_t cycles = (uint64_t)(score(f, trial, c) + 0.5);
        log_candidate(f, c, cycles, i == best);
        if (c->level == JIT_O3)
            jit_profile_note_candidate(f, c->body, c->shape, cycles, i == best);
    }
    install_best(f, trial);
    if (f->level < JIT_O3)
        f->highest = f->level; /* none above is faster */
    optimize_log(f, trial->cycles);
    for (unsigned i = 0; i < trial->count; i++)
        jit_release(trial->candidates[i].version);
    free(trial);
    p->trial = NULL;
}

/* ---- Rounds ---- */

static uint32_t next_random(struct trial *trial) {
    trial->random ^= trial->random << 13; /* Marsaglia's xorshift */
    trial->random ^= trial->random >> 17;
    trial->random ^= trial->random << 5;
    return trial->random;
}

/* Until the next round the one runs that has been the fastest up to now. */
static void rest(struct jit_function *f, struct trial *trial, uint64_t running) {
    trial->resting = true;
    trial->end_call = f->calls + GAP_CALLS / 2 + next_random(trial) % GAP_CALLS;
    trial->end_time = running + GAP_UNITS * budget_unit();
    install_best(f, trial);
    f->sample_mask = GAP_MASK;
}

/* The round is over, and with the last one the trial. */
static bool go_on(struct jit_function *f, struct policy *p) {
    struct trial *trial = p->trial;
    uint64_t running = budget_running(cpu_rdtsc());
    end_round(trial);
    trial->current = 0;
    if (++trial->round == ROUNDS ||
        (trial->round >= LEAST_ROUNDS && running - trial->begin >= LONGEST_UNITS * budget_unit())) {
        finish(f, p);
        return false;
    }
    rest(f, trial, running);
    return true;
}

bool trial_note_call(struct jit_function *f, uint64_t cycles) {
    struct policy *p = policy_of(f);
    struct trial *trial = p->trial;
    if (trial->resting) {
        if (f->calls < trial->end_call && budget_running(cpu_rdtsc()) < trial->end_time)
            return false;
        trial->resting = false;
        begin_turn(f, trial);
        return false;
    }
    trial->calls[trial->call++] = (struct call){cycles, f->arguments ? p->last_tuple : OTHER};
    if (trial->call < WARM_UP + TURN_CALLS)
        return false;
    end_turn(trial);
    trial->current++;
    return !begin_turn(f, trial) && !go_on(f, p);
}
