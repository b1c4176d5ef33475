/*
 * The table of function names which the build puts behind the other read-only
 * data (section .symbols): count, count start addresses relative to the
 * kernel's, ascending, then the names in the same order.
 */
#include "kernel_lib/cpu/symbols.h"
#include "kernel_lib/memory/layout.h"
#include <string.h>

extern const struct {
    uint32_t count;
    uint32_t starts[];
} kernel_symbols;

struct symbol symbol_find(uint64_t address) {
    if (address < (uintptr_t)__text_start || address >= (uintptr_t)__text_end)
        return (struct symbol){0};
    uint64_t offset = address - (uintptr_t)__kernel_start;
    uint32_t low = 0, high = kernel_symbols.count; /* the first start above offset is in between */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (kernel_symbols.starts[middle] <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == 0)
        return (struct symbol){0};
    const char *name = (const char *)&kernel_symbols.starts[kernel_symbols.count];
    for (uint32_t i = 0; i < low - 1; i++)
        name += strlen(name) + 1;
    return (struct symbol){name, offset - kernel_symbols.starts[low - 1]};
}
