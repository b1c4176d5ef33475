/*
 * How often something was done, and how long that took.
 */
#pragma once
#include <stdint.h>

/* In TSC cycles; min is UINT64_MAX before the first time. */
struct jit_times {
    uint64_t calls, total, min, max;
};

/* Counts one call that took this many cycles. */
static inline void jit_times_add(struct jit_times *times, uint64_t cycles) {
    times->calls++;
    times->total += cycles;
    if (cycles < times->min)
        times->min = cycles;
    if (cycles > times->max)
        times->max = cycles;
}
