/*
 * The pages of a trimmed copy in which no function is left. They are data from here on. A call of a
 * function that was there is a page fault in place of INT3: without NX there would be none.
 */
#include "kernel_lib/cpu/features.h"
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/memory/heap.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/removed/removed.h"
#include "kernel_lib/removed/removed_functions.h"
#include <stdlib.h>

#define WORD_OF_INT3 0xCCCCCCCCCCCCCCCCu

static bool is_empty(const char *page) {
    const uint64_t *words = (const uint64_t *)page;
    for (size_t i = 0; i < PAGE_SIZE / sizeof *words; i++)
        if (words[i] != WORD_OF_INT3)
            return false;
    return true;
}

/* Finds the ranges of empty pages. Returns how many there are. */
static size_t find_ranges(struct memory_range *ranges) {
    size_t count = 0;
    bool goes_on = false;
    for (const char *page = __text_start; page < __text_end; page += PAGE_SIZE) {
        bool empty = is_empty(page);
        if (empty && !goes_on)
            ranges[count++].start = (uintptr_t)page;
        if (empty)
            ranges[count - 1].end = (uintptr_t)page + PAGE_SIZE;
        goes_on = empty;
    }
    return count;
}

static bool make_data(const struct memory_range *range) {
    struct error ignored; /* there is no memory for page tables: the pages stay as they are */
    return memory_protect(range->start, range->end - range->start, MEMORY_READ_WRITE, &ignored);
}

void removed_pages_to_heap(void) {
    if (!kernel_is_trimmed_copy() || !cpu_has_no_execute())
        return;
    /* At most every second page begins a range. */
    size_t most = (size_t)(__text_end - __text_start) / PAGE_SIZE / 2 + 1;
    struct memory_range *ranges = malloc(most * sizeof *ranges);
    size_t count = ranges ? find_ranges(ranges) : 0, done = 0;
    while (done < count && make_data(&ranges[done]))
        done++;
    heap_add_scattered(ranges, done);
    free(ranges);
}
