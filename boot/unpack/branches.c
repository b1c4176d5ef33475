#include "branches.h"

#define BYTES(value) (UINT64_C(0x0101010101010101) * (value))
#define OPCODES 0xE8 /* and that with the lowest bit set */
#define INSTRUCTION_SIZE 5

void branches_restore(uint8_t *code, size_t size) {
    int64_t at = 0, total = (int64_t)size;
    while (at + INSTRUCTION_SIZE <= total) {
        uint64_t word;
        __builtin_memcpy(&word, code + at, sizeof word);
        word = (word ^ BYTES(OPCODES)) & BYTES(0xFE);
        /* If a byte is 0 now, the lowest such byte is the lowest one with its highest bit set. */
        word = (word - BYTES(1)) & ~word & BYTES(0x80);
        if (!word) {
            at += sizeof word;
            continue;
        }
        at += __builtin_ctzll(word) / 8;
        if (at + INSTRUCTION_SIZE > total)
            break;
        int32_t value;
        __builtin_memcpy(&value, code + at + 1, sizeof value);
        int64_t position = at + INSTRUCTION_SIZE;
        at++;
        if (value < -position || value >= total)
            continue;
        value += (int32_t)(value < 0 ? total : -position);
        __builtin_memcpy(code + at, &value, sizeof value);
    }
}
