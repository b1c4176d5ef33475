#include "zstd.h"

enum { PREDEFINED, ONE_SYMBOL, DESCRIBED, REPEATED }; /* what an entropy code is */

static const struct fse_kind literal_lengths = {
    .symbols = 36,
    .max_log = 9,
    .preset_log = 6,
    .preset_symbols = 36,
    .base = 0,
    .extra = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  1,  1,
              1, 1, 2, 2, 3, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
    .preset = {4, 3, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 1, 1,  1,  2,  2,
               2, 2, 2, 2, 2, 2, 2, 3, 2, 1, 1, 1, 1, 1, -1, -1, -1, -1},
};
/* Offsets of up to 2^26: larger ones are refused. */
static const struct fse_kind offsets = {
    .symbols = 26,
    .max_log = 8,
    .preset_log = 5,
    .preset_symbols = 29,
    .base = 1,
    .extra = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14,
              15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28},
    .preset = {1, 1, 1, 1, 1, 1, 2, 2, 2, 1,  1,  1,  1,  1, 1,
               1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1},
};
static const struct fse_kind match_lengths = {
    .symbols = 53,
    .max_log = 9,
    .preset_log = 6,
    .preset_symbols = 53,
    .base = 3,
    .extra = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  0,  0,  0,  0,  0,  0, 0,
              0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 3, 3, 4, 4, 5, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
    .preset = {1, 4, 3, 2, 2, 2, 2, 2, 2, 1, 1,  1,  1,  1,  1,  1,  1, 1,
               1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,  1,  1,  1,  1,  1,  1, 1,
               1, 1, 1, 1, 1, 1, 1, 1, 1, 1, -1, -1, -1, -1, -1, -1, -1},
};

/* Makes the table that two bits of the section's header ask for. Returns where the sections goes
 * on, or NULL. */
static const uint8_t *read_table(struct fse_table *table, const struct fse_kind *kind,
                                 unsigned mode, const uint8_t *in, const uint8_t *end) {
    int16_t counts[FSE_MAX_SYMBOLS];
    unsigned symbols = kind->preset_symbols, log = kind->preset_log;
    switch (mode) {
    case DESCRIBED:
        return fse_read(table, kind, in, end);
    case REPEATED:
        return table->log < 0 ? NULL : in;
    case PREDEFINED:
        for (unsigned s = 0; s < symbols; s++)
            counts[s] = kind->preset[s];
        break;
    default:
        if (in >= end || *in >= kind->symbols)
            return NULL;
        for (unsigned s = 0; s < *in; s++)
            counts[s] = 0;
        counts[*in] = 1;
        symbols = *in++ + 1u;
        log = 0;
    }
    fse_build(table, kind, counts, symbols, log);
    return in;
}

/* The offset that a sequence with this offset value has; keeps the last three up to date. */
static inline uint32_t offset_of(uint32_t repeat[3], uint64_t value, bool after_literals) {
    uint32_t offset = (uint32_t)value - 3;
    if (value <= 3) {
        value += !after_literals;
        if (value == 1)
            return repeat[0];
        if (value == 2) {
            offset = repeat[1];
            repeat[1] = repeat[0];
            return repeat[0] = offset;
        }
        offset = value == 3 ? repeat[2] : repeat[0] - 1;
    }
    repeat[2] = repeat[1];
    repeat[1] = repeat[0];
    return repeat[0] = offset;
}

/* Copies what `count` sequences in the stream say. One look at the signs of all that must not be
 * negative tells whether a sequence is good. */
static bool copy_sequences(struct zstd *z, struct bit_stream *stream, unsigned count) {
    const fse_entry *lengths = z->literal_lengths.entries;
    const fse_entry *matches = z->match_lengths.entries;
    const fse_entry *distances = z->offsets.entries;
    fse_entry length = lengths[bit_stream_take(stream, (unsigned)z->literal_lengths.log)];
    fse_entry distance = distances[bit_stream_take(stream, (unsigned)z->offsets.log)];
    fse_entry match = matches[bit_stream_take(stream, (unsigned)z->match_lengths.log)];
    const uint8_t *start = stream->start, *literals = z->literals;
    ptrdiff_t left = stream->left;
    uint8_t *out = z->out;
    do {
        ptrdiff_t literals_size = fse_base(length), match_size = fse_base(match);
        fse_entry sum = length + match + distance;
        left -= fse_extra(sum);
        uint64_t bits = bits_at(start, left);
        if (fse_extra(length + match)) {
            literals_size += low_bits(bits, fse_extra(length));
            bits >>= fse_extra(length);
            match_size += low_bits(bits, fse_extra(match));
            bits >>= fse_extra(match);
        }
        uint64_t value = fse_base(distance) + low_bits(bits, fse_extra(distance));
        if (--count) {
            left -= fse_bits(sum);
            bits = bits_at(start, left);
            unsigned more = fse_bits(distance);
            distance = distances[fse_next(distance) + low_bits(bits, more)];
            bits >>= more;
            more = fse_bits(match);
            match = matches[fse_next(match) + low_bits(bits, more)];
            bits >>= more;
            length = lengths[fse_next(length) + low_bits(bits, fse_bits(length))];
        }
        ptrdiff_t offset = offset_of(z->repeat, value, literals_size);
        ptrdiff_t literals_left = z->literals_end - literals - literals_size;
        ptrdiff_t room = z->limit - out - literals_size - match_size;
        ptrdiff_t history = out - z->first + literals_size - offset;
        if ((left | literals_left | room | history | (offset - 1)) < 0)
            return false;
        zstd_copy(out, out + literals_size, literals);
        literals += literals_size;
        out += literals_size;
        uint8_t *end = out + match_size;
        if (offset >= ZSTD_STEP)
            zstd_copy(out, end, out - offset);
        else /* a step would read what is not yet written */
            for (; out < end; out++)
                *out = out[-offset];
        out = end;
    } while (count);
    z->literals = literals;
    z->out = out;
    return !left;
}

bool zstd_sequences(struct zstd *z, const uint8_t *in, const uint8_t *end) {
    if (in >= end)
        return false;
    unsigned count = *in++;
    if (!count)
        return in == end;
    if (count >= 128) {
        if (end - in < 2)
            return false;
        if (count < 255) {
            count = (count - 128) << 8 | *in++;
        } else {
            count = 0x7F00u + in[0] + (in[1] << 8);
            in += 2;
        }
    }
    if (in >= end || *in & 3)
        return false;
    unsigned modes = *in++;
    in = read_table(&z->literal_lengths, &literal_lengths, modes >> 6, in, end);
    if (in)
        in = read_table(&z->offsets, &offsets, modes >> 4 & 3, in, end);
    if (in)
        in = read_table(&z->match_lengths, &match_lengths, modes >> 2 & 3, in, end);
    struct bit_stream stream;
    return in && bit_stream_open(&stream, in, end) && copy_sequences(z, &stream, count);
}
