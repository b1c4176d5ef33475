/* Unsigned LEB128 (DWARF 5, 7.6): numbers of 7 bits a byte, the lowest first; bit 7: more follow.
 * The build writes them (site_scons/bareflow/leb128.py). */
#pragma once
#include <stdint.h>

/* Reads a number of at most 32 bits, and moves *at behind it. */
static inline uint32_t leb128_read(const uint8_t **at) {
    uint32_t number = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = *(*at)++;
        number |= (uint32_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return number;
    }
}
