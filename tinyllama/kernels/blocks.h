/*
 * Products with panels of GGUF's blocks (matrix.h, weight_types.h): what block_product.c hands to
 * the kernels of a vector width, block_kernels.h.
 *
 * A group is the columns that share a scale of the activations. Its two sums are exact integers:
 * weights by activations and minima by sums of activations. They are added to the row's sum in
 * float32, of each step first the minima, group by group, and then the weights. So the order of a
 * sum depends neither on the width nor on the tiles.
 */
#pragma once
#include "matrix.h"
#include "tinyllama/formats/quantized.h"
#include "weight_types.h"

#define DECODED_COLUMNS 256u /* at most at once */
#define DECODED_PARTS (DECODED_COLUMNS / WEIGHT_PART)
#define BLOCK_POSITIONS 4u /* of a batch that share what is decoded and loaded */
#define PART_WORDS (WEIGHT_PART / MATRIX_CHUNK)

/* Blocks that are decoded, in the first-level cache. Each array has MATRIX_TYPED_PANEL rows side by
 * side. */
struct decoded {
    _Alignas(64) uint32_t words[DECODED_PARTS * PART_WORDS][MATRIX_TYPED_PANEL]; /* of 4 columns */
    /* Of each part, or of two (scale_shift): int16 twice. */
    uint32_t scales[DECODED_PARTS][MATRIX_TYPED_PANEL];
    uint32_t minima[DECODED_PARTS / 2][MATRIX_TYPED_PANEL]; /* int16 of two parts */
    float factors[DECODED_PARTS / 2][MATRIX_TYPED_PANEL];   /* IQ4_XS: the scales of 32 columns */
};

/* Where the planes have the bits of a part: in 4 words from a byte offset of the block on, so far
 * to the left. */
struct plane_part {
    uint32_t low, low_shift, high, high_shift;
    uint32_t low_mask, high_mask; /* there */
};

/* Where a type has its integers, in a panel of so many rows. */
struct layout {
    enum planes { BYTES, LOW_PLANE, TWO_PLANES } planes;
    uint32_t stride;                        /* bytes from one word to the next */
    struct plane_part parts[DECODED_PARTS]; /* of a block */
    uint32_t low_mask, high_mask;
    uint32_t above;                   /* bits of the low plane */
    uint32_t high_stride, high_shift; /* from one word of the high plane to the next */
};

/* The columns that are multiplied at once. */
struct block_step {
    const uint8_t *block;  /* where the first block's integers are: in the panel, or decoded */
    const uint8_t *halves; /* and its binary16 numbers */
    /* To the next block; K types have one. */
    size_t block_bytes, halves_bytes;
    const struct layout *layout;
    const struct decoded *decoded;
    uint32_t rows;          /* of the panel */
    uint32_t block_parts;   /* parts of a block */
    uint32_t groups, parts; /* groups, and parts of each */
    uint32_t scale_shift;   /* 1: two parts share a scale */
    uint32_t sum_parts;     /* parts whose words follow each other, and whose sum fits into int16 */
    uint32_t x_shift;       /* 2 to the power of it groups share a scale of the activations */
    uint32_t twin;          /* so many parts later, one has its integers in the same words; or 0 */
    uint32_t ahead;         /* bytes of the panel that a part has, to be asked for */
    int32_t offset;
    uint32_t minimum_sign; /* 1 << 31 where minima are added */
    bool factors;
};

/* Where the step's activations begin, and how far the next position's are. */
struct block_x {
    struct rounded first;
    size_t chunks, parts, scales;
};

/* out += products, for all rows of a panel, of which 32 are written when there are 16, too. */
typedef void multiply_step(float *out, size_t out_stride, const struct block_step *step,
                           const struct block_x *x);

/* The kernels of a vector width. */
struct block_kernels {
    /* Of one position, with the integers of a type with one plane, which decoded ones are, too; of
     * two (NULL: they are to be decoded); of Q6_K, with its scales as they are in the block (NULL:
     * as two); or bytes. */
    multiply_step *low, *two, *six, *bytes;
    /* The same for BLOCK_POSITIONS positions, with integers that are decoded, or bytes. */
    multiply_step *small_batch, *bytes_batch;
    /* out -= what the minima of a step subtract, of one position. */
    void (*subtract_minima)(float *out, const struct block_step *step, const struct block_x *x);
    /* Decodes the integer scales of a block of a panel. */
    void (*decode_scales)(struct decoded *to, const uint8_t *block, uint32_t rows,
                          const struct weight_type *type);
    /* The integers of a block of a panel, whose columns become part and following ones, with a
     * layout that is not BYTES. */
    void (*decode_words)(struct decoded *to, uint32_t part, const uint8_t *block,
                         const struct layout *layout, const struct weight_type *type);
    /* bfloat16 as float32. count is padded. */
    void (*unpack_brain_halves)(float *out, const uint16_t *halves, size_t count);
};
