#include "kernel_lib/io/character_width.h"
#include "kernel_lib/leb128.h"
#include <stddef.h>

/* site_scons/bareflow/libc/character_widths.py describes and makes it. */
static const uint8_t runs[] = {
#include "character_widths.inc"
};

#define FIRST_OTHER 0x300 /* all before take one column */

unsigned character_width(uint32_t character) {
    const uint8_t *at = runs;
    uint32_t behind = FIRST_OTHER; /* the last run */
    while (character >= behind && at < runs + sizeof runs) {
        uint32_t step = leb128_read(&at), begin = behind + step / 2;
        behind = begin + leb128_read(&at) + 1;
        if (character < begin)
            break;
        if (character < behind)
            return step % 2 ? 2 : 0;
    }
    return 1;
}
