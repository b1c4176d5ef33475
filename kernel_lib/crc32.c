#include "kernel_lib/crc32.h"

#define POLYNOMIAL 0xEDB88320u /* bits reversed: the lowest one is sent first */

/* For each value of a byte what it does to the checksum. Made on first use: 1 KiB of .bss, which
 * nobody has to read from disk. */
static const uint32_t *byte_table(void) {
    static uint32_t table[256];
    if (table[1])
        return table;
    for (uint32_t byte = 0; byte < 256; byte++) {
        uint32_t remainder = byte;
        for (int bit = 0; bit < 8; bit++)
            remainder = remainder >> 1 ^ (remainder & 1 ? POLYNOMIAL : 0);
        table[byte] = remainder;
    }
    return table;
}

uint32_t crc32_update(uint32_t crc, const void *bytes, size_t size) {
    const uint32_t *table = byte_table();
    const uint8_t *at = bytes;
    crc = ~crc;
    for (size_t i = 0; i < size; i++)
        crc = crc >> 8 ^ table[(crc ^ at[i]) & 0xFF];
    return ~crc;
}
