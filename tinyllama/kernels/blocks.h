/*
 * Products with panels of GGUF's blocks (matrix.h, weight_types.h): what block_product.c hands to
 * the kernels of a vector width, block_kernels.h.
 *
 * A group is the columns that share a scale of the activations. Its two sums are exact integers:
 * weights by activations and minima by sums of activations; both are then added to the row's sum in
 * float32, group by group. So the order of a sum depends neither on the width nor on the tiles.
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
    uint32_t scales[DECODED_PARTS][MATRIX_TYPED_PANEL];                          /* int16 twice */
    uint32_t minima[DECODED_PARTS / 2][MATRIX_TYPED_PANEL]; /* int16 of two parts */
    float scale[DECODED_PARTS / 2][MATRIX_TYPED_PANEL]; /* of each 32 columns, or of the block */
    float min_scale[DECODED_PARTS / 2][MATRIX_TYPED_PANEL];
};

/* Where a plane has the bits of a part: in 4 words from byte offset of the block on, so far to the
 * left. */
struct plane_part {
    uint32_t offset, shift;
};

/* Where a type has its integers, in a panel of so many rows. */
struct layout {
    enum planes { BYTES, LOW_PLANE, TWO_PLANES } planes;
    uint32_t stride;                                           /* bytes from one word to the next */
    struct plane_part low[DECODED_PARTS], high[DECODED_PARTS]; /* of the parts of a block */
    uint32_t low_mask, high_mask;
    uint32_t above;                   /* bits of the low plane */
    uint32_t high_stride, high_shift; /* from one word of the high plane to the next */
};

/* The columns that are multiplied at once. */
struct block_step {
    const uint8_t *block; /* where the first block's integers are: in the panel, or decoded */
    size_t block_bytes;   /* to the next block; K types have one */
    const struct layout *layout;
    const struct decoded *decoded;
    uint32_t rows;           /* of the panel */
    uint32_t block_parts;    /* parts of a block */
    uint32_t groups, parts;  /* groups, and parts of each */
    uint32_t scale, x_scale; /* each so many groups have another scale */
    uint32_t ahead;          /* bytes of the panel that a part of a tile is */
    int32_t offset;
    bool minima;
};

/* Where the step's activations begin, and how far the next position's are. */
struct block_x {
    struct rounded first;
    size_t chunks, parts, scales;
};

/* out += products, for all rows of a panel. */
typedef void multiply_step(float *out, size_t out_stride, const struct block_step *step,
                           const struct block_x *x);

/* The kernels of a vector width. */
struct block_kernels {
    /* Of one position, with the integers of a type with one plane, two, or bytes. */
    multiply_step *low, *two, *bytes;
    /* The same for BLOCK_POSITIONS positions, with integers that are decoded, or bytes. */
    multiply_step *small_batch, *bytes_batch;
    /* Decodes the scales of a block of a panel, whose columns become part and following ones. */
    void (*decode_scales)(struct decoded *to, uint32_t part, const uint8_t *block, uint32_t rows,
                          const struct weight_type *type);
    /* The same for its integers, with a layout that is not BYTES. */
    void (*decode_words)(struct decoded *to, uint32_t part, const uint8_t *block,
                         const struct layout *layout, const struct weight_type *type);
    /* bfloat16 as float32. count is padded. */
    void (*unpack_brain_halves)(float *out, const uint16_t *halves, size_t count);
};
