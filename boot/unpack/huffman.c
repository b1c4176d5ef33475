#include "huffman.h"

#define WEIGHTS_MAX_LOG 6

/* A symbol is a weight: bits + 1 - weight is the length of its byte's code; 0 if there is none. */
static const struct fse_kind weight_code = {.symbols = HUFFMAN_MAX_BITS + 1,
                                            .max_log = WEIGHTS_MAX_LOG};

/* Reads weights that are entropy-coded, by two states in turn. Returns how many, or 0. */
static unsigned read_coded_weights(struct fse_table *table, uint8_t *weights, const uint8_t *in,
                                   const uint8_t *end) {
    struct bit_stream stream;
    in = fse_read(table, &weight_code, in, end);
    if (!in || !bit_stream_open(&stream, in, end))
        return 0;
    unsigned log = (unsigned)table->log, count = 0;
    fse_entry entry = table->entries[bit_stream_take(&stream, log)];
    fse_entry other = table->entries[bit_stream_take(&stream, log)];
    while (stream.left >= 0) {
        if (count == HUFFMAN_MAX_SYMBOLS - 2)
            return 0;
        weights[count++] = (uint8_t)fse_base(entry);
        fse_entry next =
            table->entries[fse_next(entry) + bit_stream_take(&stream, fse_bits(entry))];
        entry = other;
        other = next; /* of no meaning if the stream has ended */
    }
    weights[count++] = (uint8_t)fse_base(entry);
    return count;
}

/* Fills in the table: the longest codes come first, and those of a length by their bytes. */
static void build(struct huffman_table *table, const uint8_t *weights, unsigned count) {
    struct huffman_entry *entry = table->entries;
    for (unsigned weight = 1; weight <= table->bits; weight++)
        for (unsigned byte = 0; byte < count; byte++)
            if (weights[byte] == weight)
                for (unsigned i = 1u << (weight - 1); i; i--)
                    *entry++ =
                        (struct huffman_entry){(uint8_t)byte, (uint8_t)(table->bits + 1 - weight)};
}

const uint8_t *huffman_read(struct huffman_table *table, struct fse_table *scratch,
                            const uint8_t *in, const uint8_t *end) {
    uint8_t weights[HUFFMAN_MAX_SYMBOLS];
    unsigned count;
    if (in >= end)
        return NULL;
    unsigned size = *in++;
    if (size < 128) {
        if (size > (size_t)(end - in))
            return NULL;
        count = read_coded_weights(scratch, weights, in, in + size);
    } else { /* four bits each */
        count = size - 127;
        size = (count + 1) / 2;
        if (size > (size_t)(end - in))
            return NULL;
        for (unsigned i = 0; i < count; i++)
            weights[i] = i & 1 ? in[i / 2] & 15 : in[i / 2] >> 4;
    }
    unsigned total = 0;
    for (unsigned i = 0; i < count; i++) {
        if (weights[i] > HUFFMAN_MAX_BITS)
            return NULL;
        total += 1u << weights[i] >> 1;
    }
    if (!total)
        return NULL;
    /* The last weight is not stored: it makes the total a power of two. */
    unsigned bits = highest_bit(total) + 1, rest = (1u << bits) - total;
    if (bits > HUFFMAN_MAX_BITS || rest & (rest - 1))
        return NULL;
    weights[count++] = (uint8_t)(highest_bit(rest) + 1);
    table->bits = bits;
    build(table, weights, count);
    return in + size;
}

bool huffman_decode(const struct huffman_table *table, uint8_t *out, size_t size, const uint8_t *in,
                    const uint8_t *end) {
    struct bit_stream stream;
    if (!bit_stream_open(&stream, in, end))
        return false;
    unsigned bits = table->bits;
    uint8_t *out_end = out + size;
    /* A code is looked up with as many bits as the longest code has. For the last codes some of
     * these are in front of the stream; they do not change what is found. */
    ptrdiff_t left = stream.left - bits, none = -(ptrdiff_t)bits;
    while (out < out_end && left >= none) {
        struct huffman_entry entry = table->entries[low_bits(bits_at(in, left), bits)];
        *out++ = entry.byte;
        left -= entry.bits;
    }
    return out == out_end && left == none;
}
