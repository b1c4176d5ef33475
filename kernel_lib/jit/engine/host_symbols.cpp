/* Looks host symbols up by name. */
#include "kernel_lib/jit/engine/host_symbols.h"
#include <string.h>

void *jit::host_symbol_address(const char *name) {
    size_t low = 0, high = jit_host_symbol_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, jit_host_symbols[middle].name);
        if (order == 0)
            return jit_host_symbols[middle].address;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return nullptr;
}
