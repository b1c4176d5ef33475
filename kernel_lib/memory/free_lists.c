/*
 * Free blocks by size: lists for every multiple of 16 bytes (the header included) up to 1 KiB, then
 * for four sizes between each power of two and the next one, up to 32 KiB.
 */
#include "kernel_lib/memory/free_lists.h"
#include "kernel_lib/runtime.h"
#include <stdint.h>

#define STEP 16
#define FINE_BITS 10 /* below 2^10 bytes there is a list for each multiple of STEP */
#define FINE_LISTS ((1 << FINE_BITS) / STEP)
#define LARGEST_BITS 15
#define LISTS (FINE_LISTS + 4 * (LARGEST_BITS - FINE_BITS) + 1)
#define SMALLEST 2 /* a free block must have room for struct free_block */
#define IN_A_LIST 0x66726565206C6973u

struct free_block {
    struct free_block *next;
    uintptr_t mark; /* IN_A_LIST ^ the block's address */
};

static struct free_block *lists[LISTS];

static uintptr_t mark_of(const struct free_block *block) {
    return (uintptr_t)block ^ IN_A_LIST;
}

/* The last list whose blocks have at most this many bytes, header included. */
static unsigned list_below(size_t bytes) {
    if (bytes < 1 << FINE_BITS)
        return (unsigned)(bytes / STEP);
    unsigned bits = 63 - (unsigned)__builtin_clzll(bytes);
    return FINE_LISTS + 4 * (bits - FINE_BITS) + (unsigned)(bytes >> (bits - 2) & 3);
}

static size_t bytes_in(unsigned list) {
    if (list < FINE_LISTS)
        return (size_t)list * STEP;
    unsigned quarters = list - FINE_LISTS;
    return (size_t)(4 + quarters % 4) << (FINE_BITS - 2 + quarters / 4);
}

size_t free_lists_round(size_t size) {
    if (size > (1 << LARGEST_BITS) - FREE_LISTS_HEADER)
        return size;
    unsigned list = list_below(size + FREE_LISTS_HEADER);
    if (bytes_in(list) < size + FREE_LISTS_HEADER)
        list++;
    return bytes_in(list < SMALLEST ? SMALLEST : list) - FREE_LISTS_HEADER;
}

static void *take_from(struct free_block **list) {
    struct free_block *block = *list;
    if (block->mark != mark_of(block))
        panic("heap: %p was written to after it had been freed", (void *)block);
    *list = block->next;
    block->mark = 0; /* or freeing it would look like a double free */
    return block;
}

void *free_lists_take(size_t usable) {
    if (usable + FREE_LISTS_HEADER > 1 << LARGEST_BITS)
        return NULL;
    unsigned list = list_below(usable + FREE_LISTS_HEADER);
    return lists[list] ? take_from(&lists[list]) : NULL;
}

bool free_lists_put(void *memory, size_t usable) {
    struct free_block *block = memory;
    unsigned list = list_below(usable + FREE_LISTS_HEADER);
    if (block->mark == mark_of(block))
        panic("heap: double free of %p", memory);
    if (usable + FREE_LISTS_HEADER > 1 << LARGEST_BITS || list < SMALLEST)
        return false;
    *block = (struct free_block){lists[list], mark_of(block)};
    lists[list] = block;
    return true;
}

void free_lists_welcome(void *memory, size_t usable) {
    if (usable >= sizeof(struct free_block))
        ((struct free_block *)memory)->mark = 0;
}

void *free_lists_drop(void) {
    for (unsigned i = 0; i < LISTS; i++)
        if (lists[i])
            return take_from(&lists[i]);
    return NULL;
}
