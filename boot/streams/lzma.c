#include "lzma.h"
#include <stdbool.h>

#define EVEN_CHANCE (1 << 10)
#define ONE_BITS 11 /* a probability of 1 is 1 << 11 */
#define ADAPTATION 5
#define RANGE_LEAST (1u << 24)
#define FIRST_BYTES 4
#define MIN_LENGTH 2
/* Slots of distances: up to 3 the distance itself; from 4 on its highest two bits and how many more
 * there are. From 14 on those in the middle have no probabilities. */
#define SLOT_WITH_BITS 4
#define SLOT_WITH_EVEN_BITS 14
#define LOW_DISTANCE_BITS 4
#define STATE_AFTER_LITERAL 7 /* states below: the last was a literal */

struct decoder {
    uint32_t range, code;
    const uint8_t *in, *end;
    ptrdiff_t missing; /* bytes that were wanted behind the end */
};

/* Each function below works on a copy of the decoder, which the compiler keeps in registers. */
#define INLINE static inline __attribute__((always_inline))

INLINE void next_byte(struct decoder *d) {
    d->code <<= 8;
    if (d->in < d->end)
        d->code |= *d->in++;
    else
        d->missing++;
}

INLINE void normalise(struct decoder *d) {
    if (d->range < RANGE_LEAST) {
        d->range <<= 8;
        next_byte(d);
    }
}

INLINE unsigned next_bit(struct decoder *d, uint16_t *probability) {
    normalise(d);
    unsigned chance = *probability;
    uint32_t bound = (d->range >> ONE_BITS) * chance;
    if (d->code < bound) {
        d->range = bound;
        *probability = (uint16_t)(chance + (((1 << ONE_BITS) - chance) >> ADAPTATION));
        return 0;
    }
    d->range -= bound;
    d->code -= bound;
    *probability = (uint16_t)(chance - (chance >> ADAPTATION));
    return 1;
}

static unsigned bit(struct decoder *decoder, uint16_t *probability) {
    struct decoder d = *decoder;
    unsigned value = next_bit(&d, probability);
    *decoder = d;
    return value;
}

/* The rest of a number whose highest bits come first, with those above a 1 in `node`, until it has
 * reached `end`, a power of two. */
static unsigned tree(struct decoder *decoder, uint16_t *nodes, unsigned node, unsigned end) {
    struct decoder d = *decoder;
    while (node < end)
        node = node << 1 | next_bit(&d, nodes + node);
    *decoder = d;
    return node - end;
}

/* A number whose lowest bit comes first. */
static unsigned reverse_tree(struct decoder *decoder, uint16_t *nodes, unsigned bits) {
    struct decoder d = *decoder;
    unsigned node = 1, value = 0;
    for (unsigned i = 0; i < bits; i++) {
        unsigned one = next_bit(&d, nodes + node);
        node = node << 1 | one;
        value |= one << i;
    }
    *decoder = d;
    return value;
}

/* A number whose bits have even chances. */
static unsigned even_bits(struct decoder *decoder, unsigned bits) {
    struct decoder d = *decoder;
    unsigned value = 0;
    for (; bits; bits--) {
        normalise(&d);
        d.range >>= 1;
        bool is_one = d.code >= d.range;
        if (is_one)
            d.code -= d.range;
        value = value << 1 | is_one;
    }
    *decoder = d;
    return value;
}

/* A literal behind a match. It is coded with the byte that would go on with the match as long as
 * its bits are those of that one. */
static unsigned literal_after_match(struct decoder *decoder, uint16_t *nodes, unsigned expected) {
    struct decoder d = *decoder;
    unsigned node = 1, expected_bit, one;
    do {
        expected_bit = expected >> 7 & 1;
        expected <<= 1;
        one = next_bit(&d, nodes + ((1 + expected_bit) << 8) + node);
        node = node << 1 | one;
    } while (one == expected_bit && node < 0x100);
    *decoder = d;
    return tree(decoder, nodes, node, 0x100);
}

/* The length of a match less MIN_LENGTH. */
INLINE unsigned length(struct decoder *d, struct lzma_lengths *lengths, unsigned position) {
    if (!bit(d, &lengths->is_not_low))
        return tree(d, lengths->low[position], 1, 1 << 3);
    if (!bit(d, &lengths->is_not_middle))
        return 8 + tree(d, lengths->middle[position], 1, 1 << 3);
    return 16 + tree(d, lengths->high, 1, 1 << 8);
}

/* The distance less 1 of a match of this length, which is less MIN_LENGTH. */
static uint32_t distance(struct decoder *d, struct lzma *z, unsigned length) {
    unsigned slot = tree(d, z->slots[length < 3 ? length : 3], 1, 1 << 6);
    if (slot < SLOT_WITH_BITS)
        return slot;
    unsigned bits = slot / 2 - 1;
    uint32_t value = (2 | (slot & 1)) << bits;
    if (slot < SLOT_WITH_EVEN_BITS)
        return value + reverse_tree(d, z->distances + value - slot, bits);
    value += even_bits(d, bits - LOW_DISTANCE_BITS) << LOW_DISTANCE_BITS;
    return value + reverse_tree(d, z->low_distances, LOW_DISTANCE_BITS);
}

/* Makes the distance of a match that has that of an earlier one the last one, and returns whether
 * there is a length, too. */
static bool repeated(struct decoder *d, struct lzma *z, uint32_t last[4], unsigned state,
                     unsigned position) {
    if (!bit(d, &z->is_not_first[state]))
        return bit(d, &z->is_long[state][position]);
    unsigned which = 1;
    if (bit(d, &z->is_not_second[state]))
        which = 2 + bit(d, &z->is_not_third[state]);
    uint32_t chosen = last[which];
    for (; which; which--)
        last[which] = last[which - 1];
    last[0] = chosen;
    return true;
}

const uint8_t *lzma_unpack(struct lzma *z, unsigned properties, uint8_t *out, size_t size,
                           const uint8_t *in, const uint8_t *end) {
    unsigned lc = properties % 9, lp = properties / 9 % 5, pb = properties / 45;
    if (lc + lp > LZMA_MAX_LITERAL_BITS || pb > 4)
        return NULL;
    uint16_t *probabilities = (uint16_t *)z;
    for (size_t i = 0; i < sizeof *z / sizeof *probabilities; i++)
        probabilities[i] = EVEN_CHANCE;
    struct decoder d = {.range = ~0u, .in = in, .end = end};
    for (unsigned i = 0; i < FIRST_BYTES; i++)
        next_byte(&d);
    uint32_t last[4] = {0, 0, 0, 0}; /* distances less 1 */
    unsigned state = 0;
    for (size_t at = 0; at < size;) {
        unsigned position = at & ((1u << pb) - 1);
        size_t count = 1;
        bool is_after_match = state >= STATE_AFTER_LITERAL;
        if (!bit(&d, &z->is_match[state][position])) {
            unsigned before = at ? out[at - 1] : 0;
            unsigned context = (at & ((1u << lp) - 1)) << lc | before >> (8 - lc);
            uint16_t *nodes = z->literals[context];
            unsigned byte = is_after_match ? literal_after_match(&d, nodes, out[at - last[0] - 1])
                                           : tree(&d, nodes, 1, 0x100);
            if (out + at >= d.in)
                return NULL;
            out[at++] = (uint8_t)byte;
            state = state < 4 ? 0 : state - (state < 10 ? 3 : 6);
            continue;
        }
        if (!bit(&d, &z->is_repeated[state])) {
            last[3] = last[2];
            last[2] = last[1];
            last[1] = last[0];
            count = length(&d, &z->lengths, position);
            last[0] = distance(&d, z, (unsigned)count);
            count += MIN_LENGTH;
            state = is_after_match ? 10 : 7;
        } else if (repeated(&d, z, last, state, position)) {
            count = MIN_LENGTH + length(&d, &z->repeated_lengths, position);
            state = is_after_match ? 11 : 8;
        } else {
            state = is_after_match ? 11 : 9;
        }
        if (last[0] >= at || count > size - at || (ptrdiff_t)count > d.in - out - (ptrdiff_t)at)
            return NULL;
        for (; count; count--, at++)
            out[at] = out[at - last[0] - 1];
    }
    return d.missing ? NULL : d.in;
}
