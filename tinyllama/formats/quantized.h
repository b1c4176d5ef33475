/*
 * Activations as int8 with one scale for each group of columns (Q8_0). Each array has one position
 * after the other.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* 4 columns, in the forms that the vector widths need. */
struct chunk {
    int32_t even, odd; /* columns 0 and 2, columns 1 and 3, as int16 */
    int32_t all;       /* as int8 */
};

struct quantized {
    float *scales;        /* one for each group */
    int32_t *start;       /* one for each group: -128 times the sum of its activations */
    struct chunk *chunks; /* of each group, its columns padded with zeros to whole chunks */
};

/* Activations as integers from -127 to 127 for GGUF's blocks. A part is 16 columns, a chunk 4. */
struct rounded {
    float *scales;             /* of each group of columns */
    int32_t *all, *even, *odd; /* of each chunk: as in struct chunk */
    int32_t *pairs;            /* of each part: sums of its chunks' first and last two, as int16 */
    int16_t *sums;             /* of each part */
};

/* What lies so many chunks, parts and scales behind. */
static inline struct rounded rounded_behind(const struct rounded *x, size_t chunks, size_t parts,
                                            size_t scales) {
    return (struct rounded){x->scales + scales, x->all + chunks,  x->even + chunks,
                            x->odd + chunks,    x->pairs + parts, x->sums + parts};
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
        .chunks = x->chunks + first * group_chunks,
    };
}
