/*
 * Finite state entropy codes (RFC 8878, 4.1). A code's table has an entry for each state: the
 * symbol, and which bits lead to the next state. Here the entry has, instead of the symbol, what
 * the symbol stands for: a base to which some more bits of the stream are added.
 */
#pragma once
#include "bits.h"

#define FSE_MAX_LOG 9
#define FSE_MAX_SYMBOLS 53

/* One word, which is loaded at once:
 *   bits 0-15   the next state's number before bits of the stream are added
 *   bits 16-23  how many bits these are
 *   bits 24-31  how many bits of the stream are added to the base
 *   bits 32-63  the base
 * The sum of three such words has the sums of the counts of bits. */
typedef uint64_t fse_entry;

struct fse_table {
    fse_entry entries[1 << FSE_MAX_LOG];
    int log; /* of how many entries are used; negative: there is no table yet */
};

/* What the symbols of a code stand for, and which distributions it may have. */
struct fse_kind {
    uint8_t symbols;
    uint8_t max_log;
    uint8_t preset_log;
    uint8_t preset_symbols;
    uint8_t base;                   /* of symbol 0; each other's is where the one before it ends */
    uint8_t extra[FSE_MAX_SYMBOLS]; /* bits that are added to a symbol's base */
    int8_t preset[FSE_MAX_SYMBOLS]; /* the predefined distribution */
};

static inline unsigned fse_next(fse_entry entry) {
    return entry & 0xFFFF;
}

static inline unsigned fse_bits(fse_entry entry) {
    return entry >> 16 & 0xFF;
}

static inline unsigned fse_extra(fse_entry entry) {
    return entry >> 24 & 0xFF;
}

static inline uint32_t fse_base(fse_entry entry) {
    return entry >> 32;
}

/* Makes the table of the distribution counts[symbols], which add up to 1 << log (-1: less than 1,
 * which counts as 1). */
void fse_build(struct fse_table *table, const struct fse_kind *kind, const int16_t *counts,
               unsigned symbols, unsigned log);

/* Makes the table of the distribution that is described from `in` on. Returns where the description
 * ends, or NULL if it is damaged or goes beyond `end`. */
const uint8_t *fse_read(struct fse_table *table, const struct fse_kind *kind, const uint8_t *in,
                        const uint8_t *end);
