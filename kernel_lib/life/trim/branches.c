#include "branches.h"
#include <string.h>

#define OPCODES 0xE8 /* and that with the lowest bit set */
#define INSTRUCTION_SIZE 5

void branches_to_addresses(uint8_t *code, size_t size) {
    int64_t total = (int64_t)size;
    for (int64_t at = total - INSTRUCTION_SIZE; at >= 0; at--) {
        if ((code[at] & 0xFE) != OPCODES)
            continue;
        int64_t position = at + INSTRUCTION_SIZE;
        int32_t distance;
        memcpy(&distance, code + at + 1, sizeof distance);
        if (distance < -position || distance >= total)
            continue;
        distance += (int32_t)(distance < total - position ? position : -total);
        memcpy(code + at + 1, &distance, sizeof distance);
    }
}
