/*
 * A function of the application as the JIT sees it. The engine (kernel_lib/jit/engine) makes the
 * versions of its code and counts calls, the policy (kernel_lib/jit/policy) decides what is
 * compiled, and the store (kernel_lib/jit/store) carries what was learnt to the next boot.
 */
#pragma once
#include "kernel_lib/jit/history.h"
#include "kernel_lib/jit/level.h"
#include "kernel_lib/jit/policy/state.h"
#include "kernel_lib/jit/values.h"
#include "kernel_lib/jit_times.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Rounds of loops after which code that may be slow asks whether better code is there. */
#define JIT_ROUNDS 1024

/* All that the JIT knows of a function. There is one such record, which stays where it is. */
struct jit_function {
    uint64_t calls;       /* in this boot; counted by the code itself */
    uint32_t sample_mask; /* a compiled call is timed when calls has none of these bits; set by the
                             policy, read by the code */
    uint32_t rounds;      /* of its loops, until slow code asks again; counted by the code itself */
    uint32_t size;        /* instructions of its bitcode */
    const char *name;     /* its symbol in the application's bitcode */
    const char *reason;   /* why it runs on this level: a string constant */
    enum jit_level level; /* of the version that new calls run */
    enum jit_level highest;    /* not above: the compiler failed there, or it was no faster */
    struct jit_function *body; /* whose code the version runs: an alternative; NULL: its own */
    bool specialised;          /* the version has clones for frequent argument values */
    bool autotuning;           /* the version only has its turn as a candidate: it is not kept */
    struct jit_times times[JIT_LEVELS]; /* timed calls on each level, with what they call */
    struct jit_value_profile values;
    struct jit_candidates candidates; /* that were timed in this boot */
    struct jit_policy policy;
    struct jit_history earlier; /* what earlier boots have left; all 0 when there were none */
};

/* All functions, in the order of the bitcode. */
struct jit_function *const *jit_functions(size_t *count);
/* The function of the application with this address (its stub's); NULL when there is none. */
struct jit_function *jit_function_at(const void *address);

/* ---- From the engine to the policy: called around every timed call (all interpreted ones, and
 * compiled ones as sample_mask says) ---- */

/* Before the call, with the values of the first function->values.arguments arguments that are
 * recorded, if any. */
void jit_note_arguments(struct jit_function *function, const uint64_t *values);
/* The call has ended; it ran on level and took cycles. May compile the function again. */
void jit_note_call(struct jit_function *function, enum jit_level level, uint64_t cycles);

/* A function that is not interpreted was compiled at its first call, which took cycles; or that
 * failed. */
void jit_note_first_code(struct jit_function *function, bool compiled, uint64_t cycles);

/* A call of the function, in the interpreter or on O0, begins a round of this loop, and has begun
 * JIT_ROUNDS since it asked last. Returns code that goes on from there, or NULL. May compile it. */
void *jit_note_rounds(struct jit_function *function, uint32_t loop);

/* ---- From the policy to the engine ---- */

/* Whether the function has a loop that calls nothing. Of one that has none, nearly all time is that
 * of what it calls, if only native functions, whose calls are not timed. */
bool jit_has_loop(const struct jit_function *function);

/* Makes the function's code (function->body's, when that is set) for a level (above
 * JIT_INTERPRETER) and lets new calls run it; with specialise also clones for the frequent argument
 * values. On failure the old version stays, highest is lowered, and the console says why. */
bool jit_compile(struct jit_function *function, enum jit_level level, bool specialise,
                 const char *reason);

/* Code that goes on with a call of the function which has come to this loop in slower code: what
 * there is already, or NULL; and made on this level, NULL on failure, for which the console gives
 * the reason. It is freed when the function has code above O0 and no call is in it. */
void *jit_continuation(struct jit_function *function, uint32_t loop);
void *jit_make_continuation(struct jit_function *function, uint32_t loop, enum jit_level level);

/* Code of a function that can be installed and taken out again, to time it on real calls. It is
 * freed when it is neither installed nor held and no call is in it. */
struct jit_version;
/* How a version is generated otherwise than the source says. */
enum jit_codegen_options {
    JIT_AS_WRITTEN,
    JIT_ALL_FEATURES = 1, /* with all instructions of this CPU */
    JIT_FREE_LOOPS = 2,   /* unrolls and vectorises also where the source forbids it */
};
/* Makes a version that runs body's code (the function's own, or that of another with the same type
 * and the same effect) with these options (bits of enum jit_codegen_options) and holds it. NULL on
 * failure, for which the console gives the reason; the function is not changed. */
struct jit_version *jit_make(struct jit_function *function, struct jit_function *body,
                             enum jit_level level, bool specialise, unsigned options);
/* New calls of the function run the version: its level, specialised, body and reason become the
 * function's. What was installed before is no longer. */
void jit_install(struct jit_function *function, struct jit_version *version, const char *reason);
/* Gives up the hold; a version that is installed stays until another one is. */
void jit_release(struct jit_version *version);

#ifdef __cplusplus
}
#endif
