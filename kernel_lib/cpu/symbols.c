#include "kernel_lib/cpu/symbols.h"
#include "kernel_lib/memory/layout.h"
#include <string.h>

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
