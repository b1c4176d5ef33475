/*
 * Lists of free blocks by size, in front of the heap: most memory that is wanted is of a size that
 * was given back just before, and then neither has to be searched for nor to be cut off.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a block that the heap makes has beside its usable bytes. */
#define FREE_LISTS_HEADER 8

/* The usable bytes that a block for size bytes is best made with: those of a list's blocks, or
 * size itself where that is too large for a list. */
size_t free_lists_round(size_t size);

/* A block of so many usable bytes, which free_lists_round has given, or more; NULL when the list is
 * empty. Panics when somebody has written into the block since it was given back. */
void *free_lists_take(size_t usable);

/* Keeps a block with so many usable bytes; false, and it is not kept, when it is too large. Panics
 * when it is in a list already. */
bool free_lists_put(void *block, size_t usable);

/* Must be told of memory that was in no list so far, before it is given out or put: it may hold
 * what an earlier boot of the machine left there, and that looks like a free block. */
void free_lists_welcome(void *memory, size_t usable);

/* Some block of the lists, which is no longer in them; NULL when all are empty. */
void *free_lists_drop(void);

#ifdef __cplusplus
}
#endif
