/* Huffman codes (RFC 8878, 4.2): all bytes of a block that are no copies of earlier ones. */
#pragma once
#include "fse.h"

#define HUFFMAN_MAX_BITS 11
#define HUFFMAN_MAX_SYMBOLS 256

/* For each number of HUFFMAN_MAX_BITS or fewer bits that a stream may go on with: the byte, and how
 * many bits it takes. */
struct huffman_table {
    unsigned bits; /* of the longest code; 0: there is no table yet */
    struct huffman_entry {
        uint8_t byte;
        uint8_t bits;
    } entries[1 << HUFFMAN_MAX_BITS];
};

/* Makes the table of the description from `in` on; `scratch` is for that of its weights. Returns
 * where the description ends, or NULL if it is damaged or goes beyond `end`. */
const uint8_t *huffman_read(struct huffman_table *table, struct fse_table *scratch,
                            const uint8_t *in, const uint8_t *end);

/* Decodes the stream from `in` to `end`, which must be exactly `size` bytes, to `out`. */
bool huffman_decode(const struct huffman_table *table, uint8_t *out, size_t size, const uint8_t *in,
                    const uint8_t *end);
