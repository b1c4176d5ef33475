#include "kernel_lib/io/character_width.h"
#include <stddef.h>

/* site_scons/bareflow/libc/character_widths.py describes and makes it. */
static const uint8_t runs[] = {
#include "character_widths.inc"
};

#define FIRST_OTHER 0x300 /* all before take one column */

static uint32_t read_number(const uint8_t **at) {
    uint32_t value = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t byte = *(*at)++;
        value |= (uint32_t)(byte & 0x7F) << shift;
        if (byte < 0x80)
            return value;
    }
}

unsigned character_width(uint32_t character) {
    const uint8_t *at = runs;
    uint32_t behind = FIRST_OTHER; /* the last run */
    while (character >= behind && at < runs + sizeof runs) {
        uint32_t step = read_number(&at), begin = behind + step / 2;
        behind = begin + read_number(&at) + 1;
        if (character < begin)
            break;
        if (character < behind)
            return step % 2 ? 2 : 0;
    }
    return 1;
}
