/*
 * The arithmetic that takes the time, once for each vector width (kernels.c). Every width gives the
 * same bits: sums have a fixed order, and no instruction that fuses or approximates is used.
 *
 * Vectors of activations are float32, at a multiple of 64 bytes, padded with zeros to a multiple of
 * MATRIX_BLOCK (matrix_padded); sizes given here are those padded ones unless said otherwise.
 */
#pragma once
#include "matrix.h"
#include "tinyllama/formats/quantized.h"

/* Positions of the key cache that lie together, transposed: [block][dimension][ATTENTION_BLOCK]. */
#define ATTENTION_BLOCK 16u

/* Floats from one position's values to the next one's: head_size, padded with zeros. */
static inline uint32_t attention_value_stride(uint32_t head_size) {
    return (head_size + 7) / 8 * 8;
}

/* The query heads that share one head of keys and values. */
struct attention {
    uint32_t positions;  /* that are attended to, at least 1 */
    const float *query;  /* [queries][head_size], already scaled by log2(e) / sqrt(head_size) */
    const float *keys;   /* [block of positions][head_size][ATTENTION_BLOCK] */
    const float *values; /* [position][attention_value_stride] */
    float *scores;       /* room for positions, padded to whole blocks */
    float *out;          /* [queries][head_size]; may not overlap query */
};

/* Sizes are arguments, not read from memory, so that the JIT, which records the integer arguments
 * of calls, can make code for those of the model that is loaded. The most constant come first: the
 * JIT leaves out the last one when there are too many values. */
struct kernels {
    const char *name;
    /* out = W x for the weights of a float32 matrix and count positions: x of each has columns
     * elements and begins x_stride after the one before; out[count][rows]. */
    void (*matmul_f32)(float *out, const void *weights, uint32_t rows, uint32_t columns,
                       const float *x, uint32_t x_stride, uint32_t count);
    /* The same for an int8 matrix: in each group exact integer products, then in the order of the
     * groups out += (float)sum * scale of the weights * scale of x. */
    void (*matmul_q8)(float *out, const void *weights, uint32_t rows, uint32_t columns,
                      uint32_t group, const struct quantized *x, uint32_t count);
    /* out = softmax(query keys^T) values; head_size is not padded. */
    void (*attend)(const struct attention *attention, uint32_t head_size, uint32_t queries);
    /* RMSNorm: out = weight * x / sqrt(mean(x^2) + 1e-5); size is not padded. out may be x. */
    void (*rms_norm)(float *out, const float *x, const float *weight, uint32_t size);
    /* Rotates each pair of neighbours: x = x * cosines + swapped(x) * sines, where the first sine
     * of each pair is negated. */
    void (*rotate)(float *x, const float *cosines, const float *sines, uint32_t size);
    /* SwiGLU: gate = gate * sigmoid(gate) * up */
    void (*swiglu)(float *gate, const float *up, uint32_t size);
    /* x += y */
    void (*add)(float *x, const float *y, uint32_t size);
};

extern const struct kernels kernels_sse2, kernels_avx2, kernels_avx512;
