/*
 * Where a token's time goes: a named profile (jit_runtime.h) for each part of the forward pass.
 * Off unless asked for, because reading the clock some 45 times would cost a small model 5 %.
 */
#pragma once
#include <stdbool.h>

enum part {
    PART_EMBEDDING,
    PART_NORM,
    PART_QKV,
    PART_ROTATION,
    PART_ATTENTION,
    PART_ATTENTION_OUT,
    PART_GATE_UP,
    PART_SWIGLU,
    PART_DOWN,
    PART_CLASSIFIER,
    PART_SAMPLER,
    PART_COUNT
};

/* Profiles from now on count, or do not. */
void profiling_enable(bool enable);

/* Prints calls, average, least, most and share of the time of each part. */
void profiling_print(void);

/* Prints the average cycles of each part of a layer in one line. */
void profiling_print_layer(void);

/* Whether profiles count. */
extern bool profiling_enabled;

/* The next part begins here: what profile_start and profile_part do when profiling is enabled. */
void profiling_start(void);
void profiling_part(enum part part);

static inline void profile_start(void) {
    if (__builtin_expect(profiling_enabled, 0))
        profiling_start();
}

/* The part ends, and the next one begins: one reading of the clock for both. */
static inline void profile_part(enum part part) {
    if (__builtin_expect(profiling_enabled, 0))
        profiling_part(part);
}
