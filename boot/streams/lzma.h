/*
 * Unpacking LZMA (Igor Pavlov's "LZMA specification"): the range coder's bytes alone, without its
 * first one, which is always 0, and without an end marker: what is unpacked has a size.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

#define LZMA_STATES 12
#define LZMA_MAX_POSITIONS 16   /* 1 << pb */
#define LZMA_MAX_LITERAL_BITS 4 /* lc + lp: more are refused */
#define LZMA_LITERAL 0x300      /* probabilities of the literals of one context */

/* Probabilities that a bit is 0. A tree's first one is not used: its nodes are numbered from 1. */
struct lzma {
    uint16_t is_match[LZMA_STATES][LZMA_MAX_POSITIONS];
    uint16_t is_repeated[LZMA_STATES];
    uint16_t is_not_first[LZMA_STATES];
    uint16_t is_not_second[LZMA_STATES];
    uint16_t is_not_third[LZMA_STATES];
    uint16_t is_long[LZMA_STATES][LZMA_MAX_POSITIONS];
    struct lzma_lengths {
        uint16_t is_not_low;
        uint16_t is_not_middle;
        uint16_t low[LZMA_MAX_POSITIONS][1 << 3];
        uint16_t middle[LZMA_MAX_POSITIONS][1 << 3];
        uint16_t high[1 << 8];
    } lengths, repeated_lengths;
    uint16_t slots[4][1 << 6]; /* of distances, by the match's length */
    uint16_t distances[1 << 7];
    uint16_t low_distances[1 << 4];
    uint16_t literals[1 << LZMA_MAX_LITERAL_BITS][LZMA_LITERAL];
};

/*
 * Unpacks `size` bytes to `out` of what lies from `in` to `end`. `properties` is the byte in which
 * LZMA files have lc, lp and pb. Returns where what was read ends, or NULL if it is damaged. The
 * output may lie in front of the input and grow over it: a byte that is not yet read is not
 * overwritten; where it would be, the input counts as damaged. `lzma` need not be initialised.
 */
const uint8_t *lzma_unpack(struct lzma *lzma, unsigned properties, uint8_t *out, size_t size,
                           const uint8_t *in, const uint8_t *end);
