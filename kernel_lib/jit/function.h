/*
 * A function of the application as the JIT sees it: how often it was called, how long that took, on
 * what level it runs and why. The engine (kernel_lib/jit/engine) makes the versions of its code and
 * counts; the policy (optimize.c, adaptive.c) decides.
 */
#pragma once
#include "kernel_lib/jit_times.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* How a function runs. */
enum jit_level { JIT_INTERPRETER, JIT_O0, JIT_O1, JIT_O2, JIT_O3, JIT_LEVELS };

/* Values of a function's integer arguments that were seen together. */
#define JIT_ARGUMENTS 6 /* of them count, the first ones */
#define JIT_TUPLES 8
struct jit_tuple {
    uint64_t values[JIT_ARGUMENTS]; /* zero-extended */
    uint64_t calls;                 /* of the timed ones; earlier ones count less */
};

struct jit_function {
    const char *name;   /* its symbol in the application's bitcode */
    const char *reason; /* why it runs on this level: a string constant */
    uint32_t size;      /* instructions of its bitcode */
    uint64_t calls;     /* all calls since the machine was started; counted by the code itself */
    struct jit_times times[JIT_LEVELS]; /* timed calls on each level, with what they call */
    enum jit_level level;               /* of the version that new calls get */
    enum jit_level
        lowest; /* not below: code that the interpreter cannot run, or would take long for */
    enum jit_level highest; /* not above: the compiler failed there, or it was no faster */
    bool on_trial;          /* the version only has its turn in a trial: it is not to be kept */
    bool specialised;       /* the version has copies for tuples of arguments */
    uint8_t arguments;      /* integer arguments that are recorded; 0: not worth it */
    uint8_t tuple_count;
    bool too_many_tuples; /* the most frequent JIT_TUPLES are too few of its calls to specialise */
    uint32_t sample_mask; /* a compiled call is timed when calls has none of these bits; the policy
                             sets it, the code reads it */
    struct jit_tuple tuples[JIT_TUPLES];
    struct jit_function *body; /* whose code the version runs: an alternative; NULL: its own */
};

/* All functions, in the order of the bitcode. */
struct jit_function *jit_functions(size_t *count);
/* The function of the application with this address (its stub's); NULL when there is none. */
struct jit_function *jit_function_at(const void *address);

/* ---- From the engine to the policy: called around every timed call (all interpreted ones, and
 * compiled ones as sample_mask says) ---- */

/* Before the call, with the values of the first function->arguments integer arguments, if any. */
void jit_note_arguments(struct jit_function *function, const uint64_t *values);
/* The call has ended; it ran on level and took cycles. May compile the function anew. */
void jit_note_call(struct jit_function *function, enum jit_level level, uint64_t cycles);

/* Code that the function cannot do without, because it is not interpreted, was made at its first
 * call, and took cycles. */
void jit_note_first_code(struct jit_function *function, uint64_t cycles);

/* ---- From the policy to the engine ---- */

/* Whether the function has a loop that calls nothing. Of one that has none, nearly all time is that
 * of what it calls, if only native functions, whose calls are not timed. */
bool jit_has_loop(const struct jit_function *function);

/* Makes the function's code (function->body's, when that is set) for a level (above
 * JIT_INTERPRETER) and lets new calls run it; with specialise also copies for the tuples seen. On
 * failure the old version stays, highest is lowered, and the console says why. */
bool jit_compile(struct jit_function *function, enum jit_level level, bool specialise,
                 const char *reason);

/* Code of a function that can be installed and taken out again, to time it on real calls. It is
 * freed when it is neither installed nor held and no call is in it. */
struct jit_version;
/* How a version differs from what the source says. */
enum jit_shape {
    JIT_AS_WRITTEN,
    JIT_ALL_FEATURES =
        1,              /* uses all that this CPU can, not only what the function was written for */
    JIT_FREE_LOOPS = 2, /* unrolls and vectorises also where the source forbids it */
};
/* Makes a version that runs body's code (the function's own, or that of another with the same type
 * and the same effect) in this shape (bits of enum jit_shape) and holds it. NULL on failure, about
 * which the console says why; the function is not changed. */
struct jit_version *jit_make(struct jit_function *function, struct jit_function *body,
                             enum jit_level level, bool specialise, unsigned shape);
/* New calls of the function run the version: its level, specialised, body and reason become the
 * function's. What was installed before is no longer. */
void jit_install(struct jit_function *function, struct jit_version *version, const char *reason);
/* Gives up the hold; a version that is installed stays until another one is. */
void jit_release(struct jit_version *version);

#ifdef __cplusplus
}
#endif
