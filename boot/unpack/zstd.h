/*
 * Unpacking Zstandard (RFC 8878, "Zstandard Compression and the 'application/zstd' Media Type"):
 * one frame, without a dictionary and without a checksum, which the kernel file has of its own.
 */
#pragma once
#include "huffman.h"

#define ZSTD_MAX_BLOCK (128 << 10) /* bytes that a block unpacks to */
#define ZSTD_STEP 8                /* bytes copied at once, so written beyond an end */
#define ZSTD_MARGIN 16 /* bytes around the frame, and behind the output, that are read */

struct zstd {
    uint8_t *first;       /* of the bytes that have been unpacked */
    uint8_t *out;         /* where the next comes */
    const uint8_t *limit; /* how far this block's may reach */
    const uint8_t *literals, *literals_end;
    uint32_t repeat[3]; /* the last offsets */
    struct huffman_table huffman;
    struct fse_table literal_lengths, offsets, match_lengths, scratch;
    uint8_t buffer[ZSTD_MAX_BLOCK + ZSTD_STEP]; /* for literals */
};

/*
 * Unpacks the frame from `in` to `end`, exactly, to `out`. Returns where what was unpacked ends, or
 * NULL if the frame is damaged. The output may lie in front of the frame and grow over it: what a
 * block becomes must end ZSTD_MARGIN bytes or more in front of it (and a step may write a little
 * into these); if it does not, the frame counts as damaged. `zstd` need not be initialised.
 */
uint8_t *zstd_unpack(struct zstd *zstd, uint8_t *out, const uint8_t *in, const uint8_t *end);

/* For zstd.c: copies what the block's sequences section, from `in` to `end`, says (RFC 8878,
 * 3.1.1.3.2): literals and earlier output, in turns. */
bool zstd_sequences(struct zstd *zstd, const uint8_t *in, const uint8_t *end);

/* Copies to `out` up to `end`, and up to ZSTD_STEP bytes beyond; at least one step. */
static inline void zstd_copy(uint8_t *out, const uint8_t *end, const uint8_t *from) {
    do {
        __builtin_memcpy(out, from, ZSTD_STEP);
        out += ZSTD_STEP;
        from += ZSTD_STEP;
    } while (out < end);
}
