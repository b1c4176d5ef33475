/*
 * The functions that a full kernel may remove from a copy of itself (kernel_lib/life/trim), and in
 * such a copy, those that were. Their bodies are INT3 throughout.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define REMOVED_ORIGIN_SIZE 16

/* Made by the build, last in the image (site_scons/bareflow/trim/stub_names.py). */
struct removed_functions {
    uint32_t count;                      /* that of kernel_symbols, or 0: none may be removed */
    uint8_t origin[REMOVED_ORIGIN_SIZE]; /* build id of the kernel that this is a copy of, or 0 */
    uint8_t bits[]; /* one for each function, lowest bit first: it may be removed; then as many
                       again: it was */
};
extern const struct removed_functions removed_functions;

/* Whether the function with this place in kernel_symbols may be removed from a copy. */
bool function_may_be_removed(uint32_t index);

/* Whether its body has been removed from this kernel. */
bool function_is_removed(uint32_t index);

/* Whether this kernel is a copy from which functions have been removed. */
bool kernel_is_trimmed_copy(void);
