#include "fse.h"

void fse_build(struct fse_table *table, const struct fse_kind *kind, const int16_t *counts,
               unsigned symbols, unsigned log) {
    uint8_t symbol_of[1 << FSE_MAX_LOG];
    uint16_t state[FSE_MAX_SYMBOLS];
    fse_entry meaning[FSE_MAX_SYMBOLS];
    unsigned size = 1u << log, high = size, at = 0;
    uint32_t base = kind->base;
    for (unsigned s = 0; s < symbols; s++) {
        meaning[s] = (uint64_t)base << 32 | (uint32_t)kind->extra[s] << 24;
        base += 1u << kind->extra[s];
        state[s] = (uint16_t)counts[s];
        if (counts[s] < 0) { /* one state each, at the end */
            symbol_of[--high] = (uint8_t)s;
            state[s] = 1;
        }
    }
    for (unsigned s = 0; s < symbols; s++) {
        for (int i = 0; i < counts[s]; i++) {
            symbol_of[at] = (uint8_t)s;
            do
                at = (at + size / 2 + size / 8 + 3) & (size - 1);
            while (at >= high);
        }
    }
    for (unsigned i = 0; i < size; i++) {
        unsigned s = symbol_of[i], x = state[s]++, bits = log - highest_bit(x);
        table->entries[i] = meaning[s] | bits << 16 | ((x << bits) - size);
    }
    table->log = (int)log;
}

const uint8_t *fse_read(struct fse_table *table, const struct fse_kind *kind, const uint8_t *in,
                        const uint8_t *end) {
    int16_t counts[FSE_MAX_SYMBOLS];
    ptrdiff_t at = 4, size = (end - in) * 8;
    if (size <= 0)
        return NULL;
    unsigned log = (*in & 15) + 5u, s = 0;
    if (log > kind->max_log)
        return NULL;
    int left = 1 << log;
    while (left > 0) {
        if (at >= size || s >= kind->symbols)
            return NULL;
        /* A value from 0 to left + 1. Small values have one bit less. */
        unsigned bits = highest_bit((unsigned)left + 1);
        unsigned half = 1u << bits, short_ones = 2 * half - 2 - (unsigned)left;
        unsigned value = (unsigned)bits_at(in, at) & (2 * half - 1);
        at += bits;
        if ((value & (half - 1)) < short_ones) {
            value &= half - 1;
        } else {
            at++;
            if (value >= half)
                value -= short_ones;
        }
        int count = (int)value - 1;
        counts[s++] = (int16_t)count;
        left -= count < 0 ? 1 : count;
        if (count)
            continue;
        unsigned zeros;
        do {
            if (at >= size)
                return NULL;
            zeros = bits_at(in, at) & 3;
            at += 2;
            if (s + zeros > kind->symbols)
                return NULL;
            for (unsigned i = 0; i < zeros; i++)
                counts[s++] = 0;
        } while (zeros == 3);
    }
    if (left || at > size)
        return NULL;
    fse_build(table, kind, counts, s, log);
    return in + (at + 7) / 8;
}
