/*
 * The application's view of profiling and (in the full variant) of the JIT.
 * Here: named profiles, kernel_lib/jit/profile.c.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

struct jit_profile {
    const char *name;
    uint64_t calls, total, min, max; /* cycles; min is UINT64_MAX before the first call */
    uint64_t begin;                  /* TSC at the begin that is not ended yet */
};

/* Finds or makes the profile with this name (compared as text); NULL when the table is full. */
struct jit_profile *jit_profile_get(const char *name);
/* All profiles in order of creation, and their number. */
const struct jit_profile *jit_profiles(size_t *count);
void jit_profile_reset(void);

/* Average cycles a call, 0 before the first. */
uint64_t jit_get_avg_cycles(const char *name);
uint64_t jit_get_call_count(const char *name);
