/*
 * The value profile of a function: the values of its integer arguments that are seen most often.
 */
#pragma once
#include <stdint.h>

#define JIT_ARGUMENTS 6 /* the first ones of these are recorded */
#define JIT_FREQUENT 8

/* Values that the arguments had together in one call. */
struct jit_argument_values {
    uint64_t values[JIT_ARGUMENTS]; /* zero-extended */
    uint64_t calls;                 /* timed ones; the older, the less they count */
};

struct jit_value_profile {
    struct jit_argument_values frequent[JIT_FREQUENT];
    uint8_t count;     /* of these that are in use */
    uint8_t arguments; /* that are recorded; 0: specialising for them is not worth it */
};

#ifdef __cplusplus
extern "C" {
#endif

/* Drops values that are too rare for a clone of their own. */
void jit_values_select(struct jit_value_profile *profile);

#ifdef __cplusplus
}
#endif
