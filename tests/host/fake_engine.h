/*
 * The JIT's policy on a clock that only the test moves, with an engine that compiles nothing: it
 * only takes the time that a test says. The tests that include it contain therefore the parts of the
 * policy that look at the clock.
 */
#pragma once
#define cpu_rdtsc real_rdtsc
#include "kernel_lib/runtime.h"
#undef cpu_rdtsc
#define cpu_rdtsc() fake_clock

#include "check.h"
#include "kernel_lib/jit/policy/policy.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

#define HZ 1000000000ull /* so a cycle is a nanosecond */
#define MS (HZ / 1000)
#define FUNCTIONS 40

static uint64_t fake_clock;
static uint64_t compile_cycles[JIT_LEVELS]; /* that compiling takes */
static enum jit_level failing = JIT_LEVELS; /* from this level on compiling fails */
static bool failing_copies;                 /* and so does making copies for tuples */
static int compilations;                    /* asked for */
static void (*while_compiling)(void);       /* called then */
static struct jit_function program[FUNCTIONS];
static char names[FUNCTIONS][16];
static struct cpu_features cpu;

uint64_t cpu_cycles_per_second(void) {
    return HZ;
}

const struct cpu_features *cpu_features(void) {
    return &cpu;
}

struct jit_function *jit_functions(size_t *count) {
    *count = FUNCTIONS;
    for (int i = 0; !program[i].name; i = (i + 1) % FUNCTIONS) {
        snprintf(names[i], sizeof names[i], "f%d", i);
        program[i].name = names[i];
    }
    return program;
}

struct jit_function *jit_function_at(const void *address) {
    for (int i = 0; i < FUNCTIONS; i++)
        if (&program[i] == address)
            return &program[i];
    return NULL;
}

void report_status(uint64_t now) {
    (void)now;
}

void report_compiling(const struct jit_function *function, enum jit_level level) {
    (void)function, (void)level;
}

static int noted_candidates;

void jit_profile_note_candidate(const struct jit_function *function,
                                const struct jit_function *body, unsigned shape, uint64_t cycles,
                                bool chosen) {
    CHECK(function && body && shape <= (JIT_ALL_FEATURES | JIT_FREE_LOOPS) && cycles > 0);
    noted_candidates += 1 + 1000 * chosen;
}

/* What earlier starts are said to have done. */
static enum jit_level last_levels[FUNCTIONS];
static uint64_t usual_calls[FUNCTIONS];

enum jit_level jit_profile_last_level(const struct jit_function *function) {
    return last_levels[function - program];
}

static enum jit_level last_max_level = JIT_O3;

enum jit_level jit_profile_max_level(void) {
    return last_max_level;
}

uint64_t jit_profile_usual_calls(const struct jit_function *function) {
    return usual_calls[function - program];
}

/* ---- The engine ---- */

struct jit_version {
    struct jit_function *body;
    enum jit_level level;
    bool specialised, installed, held;
    unsigned shape;
};

static struct jit_version *installed[FUNCTIONS]; /* NULL: what is not made by jit_make */
static int versions;                             /* that are neither freed nor installed */

static void drop(struct jit_version *version) {
    if (version && !version->installed && !version->held) {
        versions--;
        free(version);
    }
}

static bool work(enum jit_level level, bool specialise) {
    compilations++;
    fake_clock += compile_cycles[level];
    if (while_compiling)
        while_compiling();
    return level < failing && !(specialise && failing_copies);
}

static void show(struct jit_function *f, struct jit_version *version) {
    struct jit_version *before = installed[f - program];
    installed[f - program] = version;
    if (version)
        version->installed = true;
    if (before && before != version) {
        before->installed = false;
        drop(before);
    }
}

bool jit_compile(struct jit_function *f, enum jit_level level, bool specialise,
                 const char *reason) {
    CHECK(level > JIT_INTERPRETER && level <= f->highest);
    CHECK(!specialise || (f->tuple_count > 0 && f->arguments > 0));
    if (!work(level, specialise)) {
        f->highest = level - 1;
        return false;
    }
    show(f, NULL);
    f->level = level;
    f->specialised = specialise;
    f->reason = reason;
    return true;
}

struct jit_version *jit_make(struct jit_function *f, struct jit_function *body,
                             enum jit_level level, bool specialise, unsigned shape) {
    (void)f;
    if (!work(level, specialise))
        return NULL;
    struct jit_version *version = malloc(sizeof *version);
    CHECK(version);
    *version = (struct jit_version){body, level, specialise, false, true, shape};
    versions++;
    return version;
}

void jit_install(struct jit_function *f, struct jit_version *version, const char *reason) {
    show(f, version);
    f->level = version->level;
    f->specialised = version->specialised;
    f->body = version->body;
    f->reason = reason;
}

void jit_release(struct jit_version *version) {
    CHECK(version->held);
    version->held = false;
    drop(version);
}

#include "kernel_lib/jit/policy/budget.c"

/* ---- The program ---- */

/* A function that has not been called yet, with so many integer arguments. */
static struct jit_function *fresh_function(uint8_t arguments) {
    static int next;
    CHECK(next < FUNCTIONS);
    struct jit_function *f = &program[next];
    f->highest = JIT_O3;
    f->size = USUAL_SIZE;
    f->arguments = arguments;
    for (int level = 0; level < JIT_LEVELS; level++)
        f->times[level].min = UINT64_MAX;
    next++;
    return f;
}

/* A call that takes so many cycles, with these arguments; timed or not, as the code would be. */
static void call_with(struct jit_function *f, uint64_t cycles, const uint64_t *arguments) {
    enum jit_level level = f->level;
    bool timed = (++f->calls & f->sample_mask) == 0 || level == JIT_INTERPRETER;
    if (timed)
        jit_note_arguments(f, arguments);
    fake_clock += cycles;
    if (timed)
        jit_note_call(f, level, cycles);
}

bool jit_has_loop(const struct jit_function *function) {
    (void)function;
    return true;
}

#include "kernel_lib/jit/policy/autotune.c"
#include "kernel_lib/jit/policy/gain.c"
#include "kernel_lib/jit/policy/idle.c"
#include "kernel_lib/jit/policy/optimize.c"
#include "kernel_lib/jit/policy/policies.c"
