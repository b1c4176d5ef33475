/*
 * The JIT's policy on a clock that only the test moves, with an engine that compiles nothing: it
 * only takes the time that a test says.
 */
#pragma once
#include "check.h"
#include "kernel_lib/jit/clock.h"
#include "kernel_lib/jit/policy/autotune.h"
#include "kernel_lib/jit/policy/budget.h"
#include "kernel_lib/jit/policy/call_times.h"
#include "kernel_lib/jit/policy/gain.h"
#include "kernel_lib/jit/policy/report.h"
#include "kernel_lib/jit/policy/tiers.h"
#include "kernel_lib/jit/settings.h"
#include "kernel_lib/jit_runtime.h"

#define HZ 1000000000ull /* so a cycle is a nanosecond */
#define MS (HZ / 1000)
#define FUNCTIONS 40
#define USUAL_SIZE 100 /* instructions of a usual function (budget.c) */

static uint64_t fake_clock;
static uint64_t compile_cycles[JIT_LEVELS]; /* that compiling takes */
static enum jit_level failing = JIT_LEVELS; /* from this level on compiling fails */
static bool failing_clones;                 /* and so does making clones */
static int compilations;                    /* asked for */
static void (*while_compiling)(void);       /* called then */
static struct jit_function program[FUNCTIONS];
static struct jit_function *functions[FUNCTIONS];
static char names[FUNCTIONS][16];
static struct cpu_features cpu;

uint64_t jit_clock(void) {
    return fake_clock;
}

uint64_t cpu_cycles_per_second(void) {
    return HZ;
}

const struct cpu_features *cpu_features(void) {
    return &cpu;
}

struct jit_function *const *jit_functions(size_t *count) {
    *count = FUNCTIONS;
    for (int i = 0; !functions[i]; i = (i + 1) % FUNCTIONS) {
        snprintf(names[i], sizeof names[i], "f%d", i);
        functions[i] = &program[i];
        program[i].name = names[i];
    }
    return functions;
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

/* ---- The engine ---- */

struct jit_version {
    struct jit_function *body;
    enum jit_level level;
    bool specialised, installed, held;
    unsigned options;
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
    return level < failing && !(specialise && failing_clones);
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
    CHECK(!specialise || (f->values.count > 0 && f->values.arguments > 0));
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
                             enum jit_level level, bool specialise, unsigned options) {
    (void)f;
    if (!work(level, specialise))
        return NULL;
    struct jit_version *version = malloc(sizeof *version);
    CHECK(version);
    *version = (struct jit_version){body, level, specialise, false, true, options};
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

static uint32_t continued[FUNCTIONS][8]; /* loops that have a continuation */
static unsigned continuations[FUNCTIONS];

void *jit_continuation(struct jit_function *f, uint32_t loop) {
    for (unsigned i = 0; i < continuations[f - program]; i++)
        if (continued[f - program][i] == loop)
            return &continued[f - program][i];
    return NULL;
}

void *jit_make_continuation(struct jit_function *f, uint32_t loop, enum jit_level level) {
    if (!work(level, false))
        return NULL;
    continued[f - program][continuations[f - program]++] = loop;
    return jit_continuation(f, loop);
}

/* ---- The program ---- */

/* A function that has not been called yet, with so many integer arguments. */
static struct jit_function *fresh_function(uint8_t arguments) {
    static int next;
    size_t count;
    jit_functions(&count); /* which gives them names */
    CHECK(next < FUNCTIONS);
    struct jit_function *f = &program[next];
    f->highest = JIT_O3;
    f->size = USUAL_SIZE;
    f->values.arguments = arguments;
    for (int level = 0; level < JIT_LEVELS; level++)
        f->times[level].min = UINT64_MAX;
    policy_set_up(f, 0, JIT_O3);
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
