/*
 * One allocation for many arrays. They are laid out twice: first to count the bytes, then in the
 * memory.
 */
#pragma once
#include "kernel_lib/runtime.h"

#define ARENA_ALIGNMENT 64 /* a cache line, the widest vector */

struct arena {
    char *memory; /* NULL: only count */
    size_t used;
};

/* The next array of count elements of size bytes; NULL while counting. Sizes do not overflow: they
 * come from checked hyperparameters. */
static inline void *arena_take(struct arena *arena, size_t count, size_t size) {
    void *taken = arena->memory ? arena->memory + arena->used : NULL;
    arena->used += (count * size + ARENA_ALIGNMENT - 1) / ARENA_ALIGNMENT * ARENA_ALIGNMENT;
    return taken;
}

/* Allocates what was counted, filled with zeros. False and *error if there is no room for what. */
static inline bool arena_allocate(struct arena *arena, const char *what, struct error *error) {
    arena->memory = aligned_alloc(ARENA_ALIGNMENT, arena->used);
    if (!arena->memory) {
        struct memory_usage usage = memory_usage();
        return error_set(error,
                         "%s needs %zu bytes of memory, %llu of %llu are free; give the "
                         "machine more",
                         what, arena->used, (unsigned long long)(usage.total - usage.used),
                         (unsigned long long)usage.total);
    }
    memset(arena->memory, 0, arena->used);
    arena->used = 0;
    return true;
}
