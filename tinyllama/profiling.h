/*
 * Where a token's time goes: a named profile (jit_runtime.h) for each part of the forward pass.
 * Off unless asked for, because reading the clock some 45 times costs a small model 5 % of a token.
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

/* Profiles from now on count, or do not: in one token of some. */
void profiling_enable(bool enable);
/* They count in every token: for what is run in order to be measured. */
void profiling_enable_all(void);

/* Prints calls, average, least, most and share of the time of each part. */
void profiling_print(void);

/* Prints the average cycles of each part of a layer in one line. */
void profiling_print_layer(void);

/* Whether profiles count, and whether they do in this token. */
extern bool profiling_enabled, profiling_now;

/* A token begins: what profile_token does when profiling is enabled. */
void profiling_token(void);
/* The next part begins here: what profile_start and profile_part do in a token that counts. */
void profiling_start(void);
void profiling_part(enum part part);

static inline void profile_token(void) {
    if (profiling_enabled)
        profiling_token();
}

static inline void profile_start(void) {
    if (__builtin_expect(profiling_now, 0))
        profiling_start();
}

/* The part ends, and the next one begins: one reading of the clock for both. */
static inline void profile_part(enum part part) {
    if (__builtin_expect(profiling_now, 0))
        profiling_part(part);
}
