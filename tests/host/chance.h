/* Chance that is the same in every run: linear congruential generators with the multipliers and
 * increments of Knuth, The Art of Computer Programming, vol. 2, 3.3.4. The low bits of a state
 * repeat soon: use the high ones. */
#pragma once
#include <stdint.h>

/* The state behind *state. */
static inline uint32_t chance_next(uint32_t *state) {
    return *state = *state * 1664525u + 1013904223u;
}

/* A number below limit, which is at most 2^24. */
static inline uint32_t chance_below(uint32_t *state, uint32_t limit) {
    return (uint32_t)((uint64_t)(chance_next(state) >> 8) * limit >> 24);
}

/* The same with 64 bits. */
static inline uint64_t chance_next_64(uint64_t *state) {
    return *state = *state * 6364136223846793005u + 1442695040888963407u;
}
