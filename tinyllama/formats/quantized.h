/*
 * Activations as integers from -127 to 127, with one scale for each group of columns. Each array
 * has one position after the other.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* For each 4 columns: the integers in the forms that the vector widths need. */
struct chunks {
    int32_t *all;        /* as int8 */
    int32_t *even, *odd; /* columns 0 and 2, columns 1 and 3, as int16 */
};
static inline struct chunks chunks_behind(struct chunks x, size_t count) {
    return (struct chunks){x.all + count, x.even + count, x.odd + count};
}

/* For llama2.c's int8. */
struct quantized {
    float *scales;  /* one for each group */
    int32_t *start; /* one for each group: -128 times the sum of its activations */
    /* Of each group, its columns padded with zeros to whole chunks. QUANTIZED_ROOM more may be
     * written behind the last one. */
    struct chunks chunks;
};
#define QUANTIZED_ROOM 3

/* For GGUF's blocks. A part is 16 columns. */
struct rounded {
    float *scales; /* of each group of columns */
    struct chunks chunks;
    int32_t *pairs; /* of each part: sums of its chunks' first and last two columns, as int16 */
    int16_t *sums;  /* of each part */
};

/* What lies so many chunks, parts and scales behind. */
static inline struct rounded rounded_behind(const struct rounded *x, size_t chunks, size_t parts,
                                            size_t scales) {
    return (struct rounded){x->scales + scales, chunks_behind(x->chunks, chunks), x->pairs + parts,
                            x->sums + parts};
}

/* Columns of activations that share a scale, for a type with so many columns in a block: all of
 * them, or half of a K type's, which makes the error smaller. */
static inline uint32_t rounded_group(uint32_t block) {
    return block < 128 ? block : 128;
}

/* The part from position on; a position has so many groups of so many chunks. */
static inline struct quantized quantized_at(const struct quantized *x, uint32_t position,
                                            uint32_t groups, uint32_t group_chunks) {
    uint32_t first = position * groups;
    return (struct quantized){
        .scales = x->scales + first,
        .start = x->start + first,
        .chunks = chunks_behind(x->chunks, (size_t)first * group_chunks),
    };
}
