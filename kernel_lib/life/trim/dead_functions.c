#include "dead_functions.h"
#include "kernel_lib/coverage/coverage.h"
#include "kernel_lib/debug/symbols.h"
#include "kernel_lib/removed/misses.h"
#include "kernel_lib/removed/removed_functions.h"
#include <stdlib.h>
#include <string.h>

static const char *first_name(void) {
    return (const char *)&kernel_symbols.starts[kernel_symbols.count];
}

/* Sets the bits of all functions with this name: a name has no arguments, so there may be
 * several. */
static void keep_name(uint8_t *kept, const char *name, size_t length) {
    const char *at = first_name();
    for (uint32_t i = 0; i < kernel_symbols.count; i++) {
        size_t size = strlen(at);
        if (size == length && memcmp(at, name, length) == 0)
            kept[i / 8] |= (uint8_t)(1 << i % 8);
        at += size + 1;
    }
}

static void keep_missed(uint8_t *kept) {
    size_t size;
    const char *at = misses_read(&size), *end = at + size;
    while (at < end) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        keep_name(kept, at, (size_t)(line_end - at));
        at = line_end + 1;
    }
}

uint8_t *dead_functions(struct error *error) {
    uint8_t *bits = calloc((kernel_symbols.count + 7) / 8, 1);
    if (!bits) {
        error_set(error, "There is no memory for the list of functions.");
        return NULL;
    }
    if (!coverage_of_all_boots(bits, error)) {
        free(bits);
        return NULL;
    }
    keep_missed(bits);
    for (uint32_t i = 0; i < kernel_symbols.count; i++) {
        uint8_t mask = (uint8_t)(1 << i % 8);
        if (function_may_be_removed(i))
            bits[i / 8] ^= mask;
        else
            bits[i / 8] &= (uint8_t)~mask;
    }
    return bits;
}
