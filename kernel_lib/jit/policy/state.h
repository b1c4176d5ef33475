/*
 * What the policy keeps of a function: a part of struct jit_function.
 */
#pragma once
#include "kernel_lib/jit/level.h"
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct jit_function;
struct autotune;

#define JIT_ALTERNATIVES 3 /* of a function, at most */
#define JIT_EVICTED 16     /* values that were evicted last */

/* How well the value profile covers the calls (value_profile.c). */
struct jit_value_tracking {
    int last;                      /* the values noted last, in frequent; -1: none of these */
    uint32_t noted;                /* calls since the values were last judged */
    uint32_t missed;               /* of these, calls that found frequent full of other values */
    uint32_t general;              /* of these, calls that the version has no clone for */
    uint8_t clones;                /* bits: the frequent values that the version has clones for */
    uint16_t judged;               /* times, since evictions was set to 0 */
    uint16_t evictions;            /* since then, for values that were new */
    uint64_t evicted[JIT_EVICTED]; /* hashes of the values evicted last, in a ring */
    uint8_t evicted_next;          /* where the ring is written next */
    uint8_t bad_times;             /* in a row that too many calls were missed */
    uint8_t general_times;         /* in a row that too many calls found no clone */
    uint8_t renewals;              /* of the clones, for other values */
    bool wants_new_clones;         /* too many calls find none */
    bool too_varied;               /* the most frequent values are too few of the calls */
};

struct jit_policy {
    int64_t self[JIT_LEVELS]; /* cycles of all calls on each level, without what they called;
                                 estimated from those that were timed */
    uint64_t since;           /* budget_running() at the first timed call on its level */
    uint64_t last;            /* the same at the last one */
    int64_t looping;          /* cycles of its loops in slow code, since better code was made */
    uint64_t looping_calls;   /* its calls then */
    enum jit_level continued; /* the level on which a call went on out of a loop; else the lowest */
    uint64_t usual_calls;     /* in an earlier boot; 0: or its code from then is not there */
    struct jit_function *alternatives[JIT_ALTERNATIVES];
    struct autotune *autotune; /* NULL: its candidates are not being timed */
    bool autotuned;            /* they were, or are, in this boot or an earlier one */
    enum { LOOP_UNKNOWN, LOOP_NONE, LOOP_OWN } loop; /* jit_has_loop() */
    struct jit_value_tracking tracking;
};

/* Sets up every function's state, from what earlier boots have left in struct jit_function: so many
 * boots, of which the last one allowed no higher level than max_level, and whose first compilation
 * took so many cycles. */
void jit_policy_start(uint64_t boots, enum jit_level max_level, uint64_t first_cycles);

/* The same for one function. */
void policy_set_up(struct jit_function *function, uint64_t boots, enum jit_level max_level);

/* jit_has_loop(), asked once. */
bool policy_computes(struct jit_function *function);

#ifdef __cplusplus
}
#endif
