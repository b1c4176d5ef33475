/*
 * The arithmetic that takes the time, once for each vector width (kernels.c). Every width gives the
 * same bits: sums have a fixed order, and no instruction that fuses or approximates is used.
 *
 * Vectors of activations are float32, at a multiple of 64 bytes, padded with zeros to a multiple of
 * MATRIX_BLOCK (matrix_padded); sizes given here are those padded ones unless said otherwise.
 */
#pragma once
#include "matrix.h"
#include "quantized.h"

/* Positions of the key cache that lie together, transposed: [block][dimension][ATTENTION_BLOCK]. */
#define ATTENTION_BLOCK 16u

/* The query heads that share one head of keys and values. */
struct attention {
    uint32_t queries;      /* query heads */
    uint32_t head_size;    /* not padded */
    uint32_t positions;    /* that are attended to, at least 1 */
    const float *query;    /* [queries][head_size], already scaled by log2(e) / sqrt(head_size) */
    const float *keys;     /* [block of positions][head_size][ATTENTION_BLOCK] */
    const float *values;   /* [position][value_stride] */
    uint32_t value_stride; /* head_size padded with zeros to a multiple of 8 */
    float *scores;         /* room for positions, padded to whole blocks */
    float *out;            /* [queries][head_size]; may not overlap query */
};

struct kernels {
    const char *name;
    /* out = W x for a float32 matrix and count positions: x of each has columns elements and begins
     * x_stride after the one before; out[count][rows]. */
    void (*matmul_f32)(float *out, const struct matrix *matrix, const float *x, size_t x_stride,
                       uint32_t count);
    /* The same for an int8 matrix: in each group exact integer products, then in the order of the
     * groups out += (float)sum * scale of the weights * scale of x. */
    void (*matmul_q8)(float *out, const struct matrix *matrix, const struct quantized *x,
                      uint32_t count);
    /* out = softmax(query keys^T) values */
    void (*attend)(const struct attention *attention);
};

extern const struct kernels kernels_sse2, kernels_avx2, kernels_avx512;
