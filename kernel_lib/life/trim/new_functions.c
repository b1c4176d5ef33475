#include "kernel_lib/coverage/coverage.h"
#include "kernel_lib/debug/symbols.h"
#include "kernel_lib/removed/removed_functions.h"
#include "self_trim.h"
#include <stdlib.h>

/* The functions that had run by the end of the last boot: the file is written when this one ends.
 * NULL: there is no memory. Those of a file that cannot be read are none. */
static const uint8_t *earlier_boots(void) {
    static uint8_t *bits;
    struct error ignored;
    if (!bits && (bits = calloc((kernel_symbols.count + 7) / 8, 1)))
        coverage_of_earlier_boots(bits, &ignored);
    return bits;
}

bool self_trim_sees_new_functions(void) {
    static uint32_t known; /* of this boot's functions, those that an earlier one has run, too */
    uint32_t count;
    const uint32_t *order = coverage_order(&count);
    const uint8_t *earlier = earlier_boots();
    if (!earlier)
        return true;
    while (known < count && (!function_may_be_removed(order[known]) ||
                             (earlier[order[known] / 8] >> order[known] % 8 & 1)))
        known++;
    return known < count;
}
