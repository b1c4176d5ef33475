#include "zstd.h"

#define MAGIC 0xFD2FB528
#define BLOCK_HEADER_SIZE 3

enum { RAW, RLE, COMPRESSED };      /* blocks, and literals sections; */
enum { TREELESS = COMPRESSED + 1 }; /* literals with the Huffman table that is there already */
enum { STREAMS = 4, JUMP_TABLE_SIZE = 6 }; /* the sizes of all streams but the last */

/* Reads the sizes of streams of Huffman codes, and decodes them. */
static bool decode_streams(struct zstd *z, unsigned size, bool is_one, const uint8_t *in,
                           const uint8_t *end) {
    uint8_t *out = z->buffer;
    if (!is_one) {
        const uint8_t *jump_table = in;
        unsigned part = (size + STREAMS - 1) / STREAMS;
        in += JUMP_TABLE_SIZE;
        if (in > end || part * (STREAMS - 1) > size)
            return false;
        for (unsigned i = 0; i < STREAMS - 1; i++) {
            unsigned stream = jump_table[2 * i] | (unsigned)jump_table[2 * i + 1] << 8;
            if (stream > (size_t)(end - in) ||
                !huffman_decode(&z->huffman, out, part, in, in + stream))
                return false;
            in += stream;
            out += part;
            size -= part;
        }
    }
    return huffman_decode(&z->huffman, out, size, in, end);
}

/* Reads a literals section (RFC 8878, 3.1.1.3.1). Returns where it ends, or NULL. */
static const uint8_t *read_literals(struct zstd *z, const uint8_t *in, const uint8_t *end) {
    uint64_t header = bits_at(in, 0);
    unsigned type = header & 3, format = header >> 2 & 3, size;
    if (type <= RLE) { /* the size has 5, 12 or 20 bits */
        size = format & 1 ? header >> 4 & (format == 1 ? 0xFFF : 0xFFFFF) : header >> 3 & 0x1F;
        in += format & 1 ? (format + 3) / 2 : 1;
    } else { /* there are two, of 10, 14 or 18 bits */
        unsigned width = format < 2 ? 10 : format * 4 + 6;
        size = (unsigned)low_bits(header >> 4, width);
        header = low_bits(header >> (4 + width), width);
        in += (width + 2) / 4;
    }
    if (in > end || size > ZSTD_MAX_BLOCK)
        return NULL;
    z->literals = z->buffer;
    if (type == RAW) {
        if (size > (size_t)(end - in))
            return NULL;
        z->literals = in;
        in += size;
    } else if (type == RLE) {
        if (in == end)
            return NULL;
        for (unsigned i = 0; i < size; i++)
            z->buffer[i] = *in;
        in++;
    } else {
        if (header > (size_t)(end - in))
            return NULL;
        end = in + header;
        if (type == COMPRESSED)
            in = huffman_read(&z->huffman, &z->scratch, in, end);
        if (!in || !z->huffman.bits || !decode_streams(z, size, !format, in, end))
            return NULL;
        in = end;
    }
    z->literals_end = z->literals + size;
    return in;
}

/* Unpacks a block's content. */
static bool unpack_block(struct zstd *z, unsigned type, unsigned size, const uint8_t *in) {
    const uint8_t *end = in + size;
    z->literals = in; /* a raw block consists of literals, an RLE block of one that is repeated */
    z->literals_end = end;
    if (type == COMPRESSED) {
        in = read_literals(z, in, end);
        if (!in || !zstd_sequences(z, in, end))
            return false;
        size = (unsigned)(z->literals_end - z->literals);
    }
    if ((ptrdiff_t)size > z->limit - z->out)
        return false;
    for (; size; size--) {
        *z->out++ = *z->literals;
        z->literals += type != RLE;
    }
    return true;
}

uint8_t *zstd_unpack(struct zstd *z, uint8_t *out, const uint8_t *in, const uint8_t *end) {
    static const uint8_t size_bytes[] = {0, 2, 4, 8};
    unsigned descriptor = in[4], header;
    if (end - in < 5 || (uint32_t)bits_at(in, 0) != MAGIC || descriptor & 0x1F)
        return NULL; /* the five bits: a dictionary, a checksum, reserved, unused */
    /* One byte more: the window's size, or a content size of one byte (size_bytes has 0 then). */
    in += 5 + size_bytes[descriptor >> 6] + (descriptor < 0x40 || !(descriptor & 0x20));
    z->first = z->out = out;
    z->repeat[0] = 1;
    z->repeat[1] = 4;
    z->repeat[2] = 8;
    z->huffman.bits = 0;
    z->literal_lengths.log = z->offsets.log = z->match_lengths.log = -1;
    do {
        z->limit = in - ZSTD_MARGIN;
        if (end - in < BLOCK_HEADER_SIZE)
            return NULL;
        header = (unsigned)bits_at(in, 0) & 0xFFFFFF;
        in += BLOCK_HEADER_SIZE;
        unsigned type = header >> 1 & 3, size = header >> 3, stored = type == RLE ? 1 : size;
        if (type > COMPRESSED || stored > (size_t)(end - in) || !unpack_block(z, type, size, in))
            return NULL;
        in += stored;
    } while (!(header & 1));
    return in == end ? z->out : NULL;
}
