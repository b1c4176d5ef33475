/*
 * Where a token's time goes: a timer (jit_profile_get in jit_runtime.h) for each part of the
 * forward pass. They are off unless asked for: a small model would spend 5 % of a token on 45
 * readings of the clock.
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

/* Switches the timers on, for a sample of the tokens, or off. */
void profiling_enable(bool enable);
/* Switches them on for every token. */
void profiling_enable_all(void);

/* Prints a table: calls, average, minimum and maximum cycles, and share of the time of each
 * part. */
void profiling_print(void);

/* Prints the average cycles of each part of a layer in one line. */
void profiling_print_layer(void);

/* Whether the timers are on, and whether this token is timed. */
extern bool profiling_enabled, profiling_now;

/* What profile_token does when the timers are on. */
void profiling_token(void);
/* What profile_start and profile_part do in a token that is timed. */
void profiling_start(void);
void profiling_part(enum part part);

/* A token begins. */
static inline void profile_token(void) {
    if (profiling_enabled)
        profiling_token();
}

/* A part begins. */
static inline void profile_start(void) {
    if (__builtin_expect(profiling_now, 0))
        profiling_start();
}

/* The part ends, and the next one begins. */
static inline void profile_part(enum part part) {
    if (__builtin_expect(profiling_now, 0))
        profiling_part(part);
}
