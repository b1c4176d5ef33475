#include "kernel_lib/debug/code_ranges.h"
#include <stddef.h>

static struct code_range *first;

static void set(struct code_range **link, struct code_range *range) {
    __atomic_store_n(link, range, __ATOMIC_RELEASE);
}

void code_range_add(struct code_range *range) {
    range->next = first;
    set(&first, range);
}

void code_range_remove(struct code_range *range) {
    struct code_range **link = &first;
    while (*link != range)
        link = &(*link)->next;
    set(link, range->next);
}

const struct code_range *code_range_find(uintptr_t address) {
    const struct code_range *range = first;
    while (range && !(address >= range->begin && address < range->end))
        range = range->next;
    return range;
}
