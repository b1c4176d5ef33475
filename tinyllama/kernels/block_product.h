/*
 * Products with matrices whose rows are GGUF's blocks (weight_types.h). A row is unpacked once for
 * all positions.
 */
#pragma once
#include "kernels.h"

/* Products with one x. Sizes are as in kernels.h. */
struct block_product {
    const struct kernels *kernels;
    const float *x; /* [count][x_stride] */
    uint32_t x_stride, count;
    struct rounded rounded; /* memory for count positions; has x in groups of rounded_group */
    uint32_t rounded_group; /* 0: not yet */
    struct unpacked row;    /* memory for a row */
    float *row_floats;      /* the same */
};

/* y = W x for a matrix with a type, and count positions; the y of a position begins y_stride after
 * the one before. Rows of the matrix that only fill a block get sums too: 0. */
void multiply_blocks(struct block_product *product, float *y, uint32_t y_stride,
                     const struct matrix *w);
