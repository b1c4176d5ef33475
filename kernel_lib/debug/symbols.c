#include "kernel_lib/debug/symbols.h"
#include "kernel_lib/memory/layout.h"
#include <string.h>

static const char *name_of(uint32_t index) {
    const char *names = (const char *)&kernel_symbols.starts[kernel_symbols.count];
    for (uint32_t i = 0; i < index; i++)
        names += strlen(names) + 1;
    return names;
}

uint32_t symbol_index(uintptr_t address) {
    if (address < (uintptr_t)__text_start || address >= (uintptr_t)__text_end)
        return SYMBOL_NONE;
    uintptr_t offset = address - (uintptr_t)__kernel_start;
    uint32_t low = 0, high = kernel_symbols.count; /* the first start above offset is in between */
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (kernel_symbols.starts[middle] <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low > 0 ? low - 1 : SYMBOL_NONE;
}

struct symbol symbol_find(uintptr_t address) {
    uint32_t index = symbol_index(address);
    if (index == SYMBOL_NONE)
        return (struct symbol){0};
    uintptr_t start = (uintptr_t)__kernel_start + kernel_symbols.starts[index];
    return (struct symbol){name_of(index), address - start};
}
