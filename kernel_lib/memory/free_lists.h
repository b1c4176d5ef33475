/*
 * Lists of free blocks by size, in front of the heap. Most allocations have the size of a block
 * that was freed shortly before. They take it from a list, without a search.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of a block of the heap beside its usable ones. */
#define FREE_LISTS_HEADER sizeof(size_t)

/* The usable bytes of the block to make for size bytes: those of a list's blocks, or size itself if
 * that is too large for a list. */
size_t free_lists_round(size_t size);

/* Allocates a block with at least the usable bytes, which free_lists_round has given. NULL when the
 * list is empty. Panics when the block was written to after it was freed. */
void *free_lists_take(size_t usable);

/* Inserts a block with this many usable bytes; false when it is too large for a list. Panics when
 * it is in a list already. */
bool free_lists_put(void *block, size_t usable);

/* Must be called for memory that was in no list yet, before it is allocated or put: what an earlier
 * boot left there may look like a free block. */
void free_lists_welcome(void *memory, size_t usable);

/* Evicts a block from the lists; NULL when all are empty. */
void *free_lists_drop(void);

#ifdef __cplusplus
}
#endif
