/* Looks native functions up by name. */
#include "kernel_lib/jit/engine/host_symbols.h"
#include <string.h>

void *jit::native_address(const char *name) {
    size_t low = 0, high = jit_native_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(name, jit_natives[middle].name);
        if (order == 0)
            return jit_natives[middle].address;
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return nullptr;
}
