/* Which functions a trimmed copy of the running kernel goes without. */
#pragma once
#include "kernel_lib/error.h"
#include <stdint.h>

/* A bit for each of kernel_symbols, lowest bit first: the function may be removed
 * (removed_functions.h), has run neither in this boot nor in an earlier one, and no function of its
 * name was missed. The bits are the caller's to free. NULL and *error if nothing is known of
 * earlier boots, or if there is no memory. */
uint8_t *dead_functions(struct error *error);

/* Whether the function with this place in kernel_symbols is one of them. */
static inline bool function_is_dead(const uint8_t *dead, uint32_t index) {
    return dead[index / 8] >> index % 8 & 1;
}
