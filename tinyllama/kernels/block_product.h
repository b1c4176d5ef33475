/* Products with matrices that have a type of GGUF (matrix.h). */
#pragma once
#include "kernels.h"

/* Rounds x, count positions x_stride apart, for a matrix of a quantised type with so many
 * columns. */
void round_positions(const struct kernels *kernels, const struct rounded *out, const float *x,
                     uint32_t x_stride, uint32_t count, uint32_t columns, uint32_t group);

/* y = W x for a matrix of a quantised type and count positions; the y of a position begins y_stride
 * after the one before. The order of the arithmetic is in blocks.h. */
void multiply_blocks(const struct kernels *kernels, float *y, uint32_t y_stride,
                     const struct matrix *w, const struct rounded *x, uint32_t count);

/* The same for F16 or BF16, with a float32 x. */
void multiply_halves(const struct kernels *kernels, float *y, uint32_t y_stride,
                     const struct matrix *w, const float *x, uint32_t x_stride, uint32_t count);

/* Copies row, which is below rows, of a matrix with a type to out as float32. */
void block_row(const struct matrix *w, uint32_t row, float *out);
