/*
 * The arithmetic that takes most of the time, compiled once for each vector width (kernels.c).
 * Every width gives the same bits: sums have a fixed order, and no fused or approximate instruction
 * is used.
 *
 * A vector of activations is float32, at a multiple of 64 bytes, and padded with zeros to
 * matrix_padded(size) elements. A size here is the padded one unless said otherwise.
 */
#pragma once
#include "attention.h"
#include "blocks.h"
#include "matrix.h"
#include "tinyllama/formats/quantized.h"

#define LOG2_E 0x1.715476p+0f

/* Sizes are arguments, because the JIT specialises functions for frequent argument values. Those
 * that change least come first: when there are too many values, the JIT leaves out the last
 * argument. */
struct kernels {
    const char *name;
    bool reads_halves; /* whether score and mix, of one row, read binary16 */
    /* out = W x for a float32 matrix and count positions. The x of a position has columns elements
     * and begins x_stride after the one before; out is [count][rows]. */
    void (*matmul_f32)(float *out, const void *weights, uint32_t rows, uint32_t columns,
                       const float *x, uint32_t x_stride, uint32_t count);
    /* The same for an int8 matrix. Each group's sum is an exact integer; then, in the order of the
     * groups, out += (float)sum * (scale of the weights) * (scale of x). */
    void (*matmul_q8)(float *out, const void *weights, uint32_t rows, uint32_t columns,
                      uint32_t group, const struct quantized *x, uint32_t count);
    /* out = W x for some rows of a panel and columns of it, whose columns are stride floats apart;
     * more: out += W x. */
    void (*multiply_panel_f32)(float *out, size_t out_stride, const float *panel, size_t stride,
                               uint32_t rows, uint32_t columns, const float *x, size_t x_stride,
                               uint32_t count, bool more);
    /* Quantises x for int8 matrices: scale = largest magnitude / 127, values rounded to nearest,
     * halves away from zero. columns is not padded and a multiple of group. */
    void (*quantize)(const struct quantized *out, const float *x, uint32_t columns, uint32_t group);
    /* Rounds x for matrices of GGUF's quantised types: group columns, whole parts, share a scale,
     * of four that with the smallest error. */
    void (*round_blocks)(const struct rounded *out, const float *x, uint32_t columns,
                         uint32_t group);
    struct block_kernels blocks; /* for block_product.c */
    /* scores = query keys^T for rows of queries, [head_size] each, and blocks of keys
     * (attention.h), which are float32 or, where reads_halves, with one row binary16; the scores of
     * a row begin score_stride after those of the one before. head_size is not padded, here and
     * below. */
    void (*score)(float *scores, const float *query, const void *keys, uint32_t head_size,
                  bool halves, uint32_t blocks, uint32_t rows, uint32_t score_stride);
    /* scores = 2^(scores - max(scores)), and 0 for the positions before skip and from positions on;
     * returns their sum. Divided by it, they are the softmax. size are whole blocks. */
    float (*weigh)(float *scores, uint32_t skip, uint32_t positions, uint32_t size);
    /* sums += weights values for rows of weights, score_stride apart, and so many positions of
     * values, a multiple of ATTENTION_SUMS; position i goes to the partial sum i mod
     * ATTENTION_SUMS. Up to 8 numbers after the values may be read. */
    void (*mix)(float *sums, const float *weights, const void *values, uint32_t head_size,
                bool halves, uint32_t positions, uint32_t rows, uint32_t score_stride);
    /* Keys or values as float32: of KV_F16, count numbers; of KV_Q8, a block. Up to 8 floats after
     * the values may be written. */
    void (*unpack_halves)(float *out, const uint16_t *halves, size_t count);
    void (*unpack_key_bytes)(float *out, const char *block, uint32_t head_size);
    void (*unpack_value_bytes)(float *out, const char *block, uint32_t head_size);
    /* RMSNorm: out = weight * x / sqrt(mean(x^2) + epsilon); size is not padded. out may be x. */
    void (*rms_norm)(float *out, const float *x, const float *weight, uint32_t size, float epsilon);
    /* RoPE: x = x * cosines + swapped(x) * sines, where swapped exchanges the elements of each pair
     * and the first sine of a pair is negative. */
    void (*rotate)(float *x, const float *cosines, const float *sines, uint32_t size);
    /* SwiGLU: gate = silu(gate) * up, silu(g) = g * sigmoid(g) */
    void (*swiglu)(float *gate, const float *up, uint32_t size);
    /* GeGLU: gate = gelu(gate) * up with GELU's approximation by tanh, which is
     * gelu(g) = g * sigmoid(sqrt(8 / pi) * (g + 0.044715 g^3)) */
    void (*geglu)(float *gate, const float *up, uint32_t size);
    /* x += y */
    void (*add)(float *x, const float *y, uint32_t size);
};

extern const struct kernels kernels_sse2, kernels_avx2, kernels_avx512;
