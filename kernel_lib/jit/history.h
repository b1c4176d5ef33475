/*
 * What the JIT remembers of a function from one boot to the next (store/profile_file.h).
 */
#pragma once
#include "kernel_lib/jit/level.h"
#include "kernel_lib/jit/values.h"
#include "kernel_lib/jit_times.h"
#include <stdbool.h>
#include <stdint.h>

struct jit_function;

#define JIT_CANDIDATES 8 /* that are remembered of a function, at most */
#define JIT_REASON 40    /* bytes, with the zero at the end */

/* The reason of a level that a function is for because its calls do not leave their loops soon. */
#define JIT_LONG_LOOP "a long loop"

/* A version that was timed for the highest level (policy/autotune.h). */
struct jit_candidate {
    const struct jit_function *body; /* whose code it has */
    unsigned options;                /* bits of enum jit_codegen_options */
    uint64_t cycles;                 /* of a call, on average */
    bool chosen;
};

struct jit_candidates {
    struct jit_candidate list[JIT_CANDIDATES];
    uint8_t count;
};

/* The sum over all earlier boots. */
struct jit_history {
    uint64_t calls;
    struct jit_times times[JIT_LEVELS];
    enum jit_level level; /* the highest that it reached */
    bool specialised;     /* there */
    char reason[JIT_REASON];
    struct jit_value_profile values;
    struct jit_candidates candidates;
};
