#include "kernel_lib/removed/removed_functions.h"
#include "kernel_lib/runtime.h"

static bool bit(const uint8_t *bits, uint32_t index) {
    return index < removed_functions.count && (bits[index / 8] >> index % 8 & 1);
}

bool function_may_be_removed(uint32_t index) {
    return bit(removed_functions.bits, index);
}

bool function_is_removed(uint32_t index) {
    return bit(removed_functions.bits + (removed_functions.count + 7) / 8, index);
}

bool kernel_is_trimmed_copy(void) {
    static const uint8_t none[REMOVED_ORIGIN_SIZE];
    return memcmp(removed_functions.origin, none, sizeof none) != 0;
}

const char *platform_code_id(void) {
    static char digits[2 * REMOVED_ORIGIN_SIZE + 1];
    if (!kernel_is_trimmed_copy())
        return platform_build_id();
    for (size_t i = 0; i < REMOVED_ORIGIN_SIZE; i++)
        snprintf(digits + 2 * i, 3, "%02x", removed_functions.origin[i]);
    return digits;
}
