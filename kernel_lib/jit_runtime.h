/*
 * The application's view of profiling and (in the full variant) of the JIT.
 * Here: named profiles, kernel_lib/jit/profile.c.
 */
#pragma once
#include "kernel_lib/runtime.h"
#include <stddef.h>
#include <stdint.h>

struct jit_profile {
    const char *name;
    uint64_t calls, total, min, max; /* cycles; min is UINT64_MAX before the first call */
    uint64_t begin;                  /* TSC at the begin that is not ended yet */
};

/* Finds or makes the profile with this name, which is compared as text and must stay valid. Never
 * NULL: when the table is full, further names share one profile called "(others)". Profiles stay
 * where they are. */
struct jit_profile *jit_profile_get(const char *name);
/* All profiles in order of creation, and their number. */
const struct jit_profile *jit_profiles(size_t *count);
/* Sets all counts back; the profiles stay. */
void jit_profile_reset(void);

/* Counts one call that took this many cycles. */
static inline void jit_profile_add(struct jit_profile *profile, uint64_t cycles) {
    profile->calls++;
    profile->total += cycles;
    if (cycles < profile->min)
        profile->min = cycles;
    if (cycles > profile->max)
        profile->max = cycles;
}

/* What lies between begin and end counts as one call of the profile with this name, a string
 * constant. Each place in the source looks its profile up once. One profile cannot be begun again
 * before its end. */
#define jit_profile_begin(name) (JIT_PROFILE_HERE(name)->begin = cpu_rdtsc())
#define jit_profile_end(name)                                                                      \
    do {                                                                                           \
        uint64_t jit_end = cpu_rdtsc();                                                            \
        struct jit_profile *jit_here = JIT_PROFILE_HERE(name);                                     \
        jit_profile_add(jit_here, jit_end - jit_here->begin);                                      \
    } while (0)
#define JIT_PROFILE_HERE(name)                                                                     \
    ({                                                                                             \
        static struct jit_profile *jit_place;                                                      \
        if (__builtin_expect(!jit_place, 0))                                                       \
            jit_place = jit_profile_get("" name);                                                  \
        jit_place;                                                                                 \
    })

/* Average cycles a call, and calls; 0 when there is no such profile, or before its first call. */
uint64_t jit_get_avg_cycles(const char *name);
uint64_t jit_get_call_count(const char *name);
/* Least and most cycles a call took; 0 like the average. */
uint64_t jit_get_min_cycles(const char *name);
uint64_t jit_get_max_cycles(const char *name);
