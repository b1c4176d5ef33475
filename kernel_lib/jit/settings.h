/*
 * What the configuration says about the JIT (keys jit.* and coverage).
 */
#pragma once
#include "kernel_lib/error.h"
#include "kernel_lib/jit/function.h"

#ifdef __cplusplus
extern "C" {
#endif

enum jit_compile_all {
    JIT_COMPILE_NONE,
    JIT_COMPILE_FAILURES,
    JIT_COMPILE_COPIES,
    JIT_COMPILE_ALL
};

struct jit_settings {
    enum jit_level tier0;            /* jit.tier0: interpreter or O0: where functions begin */
    enum jit_level max_level;        /* jit.max_level */
    uint64_t thresholds[JIT_LEVELS]; /* jit.thresholds: calls from which a level is due */
    uint64_t cost_ms;                /* jit.cost_ms: an interpreted call this long compiles */
    uint64_t interpret_loops;        /* jit.interpret_loops: deeper loops are not interpreted */
    uint64_t budget;                 /* jit.budget: most percent of the time for compiling */
    bool idle;                       /* jit.idle: compiles while waiting for input */
    bool specialise, cache, profile; /* jit.specialise, jit.cache, jit.profile */
    uint64_t cache_mb;               /* jit.cache_mb: room for compiled code on the disk */
    /* jit.compile_all: for coverage (compile_all.h) */
    enum jit_compile_all compile_all;
    uint64_t compile_part, compile_parts; /* of the functions, this part of so many */
    bool coverage;                        /* coverage */
};

/* The defaults until jit_configure(). */
const struct jit_settings *jit_settings(void);

/* Reads the configuration. False and *error, which says what would be right, for a value that
 * cannot be or a key that begins with "jit." and does not exist. */
bool jit_configure(struct error *error);

/* "interpreter", "O0" to "O3". */
const char *jit_level_name(enum jit_level level);

#ifdef __cplusplus
}
#endif
