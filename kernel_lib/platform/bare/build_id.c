/* The build id, from the kernel's header. */
#include "boot/kernel_header.h"
#include "kernel_lib/memory/layout.h"
#include "kernel_lib/runtime.h"

const char *platform_build_id(void) {
    const struct kernel_header *header = (const struct kernel_header *)__kernel_start;
    static char digits[2 * sizeof header->build_id + 1];
    for (size_t i = 0; i < sizeof digits - 1; i++)
        digits[i] = "0123456789abcdef"[header->build_id[i / 2] >> (i % 2 ? 0 : 4) & 0xF];
    return digits;
}
