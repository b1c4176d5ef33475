/*
 * The heap: LLVM-libc's best-fit allocator over any number of regions of RAM.
 * malloc.c gives it its standard names.
 */
#pragma once
#include "kernel_lib/memory/memory_map.h"
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Every allocation is aligned to at least this. */
#define HEAP_ALIGNMENT alignof(max_align_t)
#define HEAP_MAX_REGIONS 64

/* Gives [start, end) to the heap. Regions are used in the order in which they are given. A region
 * too small to hold anything is left out, as are those beyond HEAP_MAX_REGIONS. */
void heap_add_region(void *start, void *end);

/* Gives the ranges to the heap, which are whole pages, ascending, and not adjacent. Nothing between
 * them is written. They are used when no other region has room, and never for a block that is
 * aligned to pages: so no code comes to lie there. To be called once, after heap_add_region(). */
void heap_add_scattered(const struct memory_range *ranges, size_t count);

/* size bytes at a multiple of alignment, a power of two; NULL when no region has room, or when
 * alignment is none. size 0 counts as 1. */
void *heap_allocate(size_t alignment, size_t size);

/* Like realloc: memory is NULL or from this heap, alignment is kept at HEAP_ALIGNMENT only. NULL
 * when there is no room, and memory stays as it was; size 0 counts as 1. */
void *heap_reallocate(void *memory, size_t size);

/* Gives back memory from this heap; NULL does nothing. */
void heap_free(void *memory);

#ifdef __cplusplus
}
#endif
