/* The kernels of attention (attention.h), for kernels.c. */
#pragma once
#include "attention.h"
#include "vector_exp.h"
#include "vector_sum.h"

/* Sizes of tiles whose sums fit into the registers: rows by blocks of keys (ROWS by 1, 1 by
 * KEY_BLOCKS), and rows by vectors of values. */
#if VECTOR_LANES == 16
#define KEY_ROWS 4
#define KEY_BLOCKS 4
#define VALUE_ROWS 4
#define VALUE_VECTORS 1
#elif VECTOR_LANES == 8
#define KEY_ROWS 4
#define KEY_BLOCKS 4
#define VALUE_ROWS 2
#define VALUE_VECTORS 1
#else
#define KEY_ROWS 2
#define KEY_BLOCKS 1
#define VALUE_ROWS 1
#define VALUE_VECTORS 2
#endif

#define BLOCK_VECTORS (ATTENTION_BLOCK / VECTOR_LANES)

/* Positions ahead of the values that are read, which are asked for: there are few operations for
 * each. */
#define AHEAD (2 * ATTENTION_BLOCK)
#define AHEAD_HALVES 4096

/* ---- Conversion to float32 ---- */

static void unpack_halves(float *out, const uint16_t *halves, size_t count) {
#pragma clang loop vectorize(disable) unroll(disable)
    for (size_t i = 0; i < count; i += VECTOR_LANES) {
        if (VECTOR_LANES > 4)
            _mm_prefetch((const char *)(halves + i + AHEAD_HALVES), _MM_HINT_T0);
        store(out + i, load_halves(halves + i));
    }
}

static inline vector load_bytes(const int8_t *from) {
    typedef int8_t byte_vector __attribute__((vector_size(VECTOR_LANES)));
    byte_vector bytes;
    memcpy(&bytes, from, sizeof bytes);
    return __builtin_convertvector(__builtin_convertvector(bytes, vector_i32), vector);
}

static void unpack_key_bytes(float *out, const char *block, uint32_t head_size) {
    const int8_t *bytes = (const int8_t *)block;
    const float *scales = (const float *)(block + head_size * ATTENTION_BLOCK);
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 0; i < head_size * ATTENTION_BLOCK; i += VECTOR_LANES) {
        uint32_t group = i / (ATTENTION_GROUP * ATTENTION_BLOCK);
        vector scale = load(scales + group * ATTENTION_BLOCK + i % ATTENTION_BLOCK);
        store(out + i, load_bytes(bytes + i) * scale);
    }
}

/* What a vector has beyond the end of a position is overwritten by the next position. */
static void unpack_value_bytes(float *out, const char *block, uint32_t head_size) {
    uint32_t stride = attention_value_stride(head_size);
    const int8_t *bytes = (const int8_t *)block;
    const float *scales = (const float *)(block + stride * ATTENTION_BLOCK);
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t p = 0; p < ATTENTION_BLOCK; p++, bytes += stride, out += stride) {
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t i = 0; i < stride; i += VECTOR_LANES)
            store(out + i, load_bytes(bytes + i) * splat(scales[i / ATTENTION_GROUP]));
        scales += attention_groups(head_size);
    }
}

/* ---- Scores ---- */

/* The scores of a tile: query keys^T for rows by blocks of keys. */
INLINE void score_tile(float *scores, size_t score_stride, const float *query, const float *keys,
                       uint32_t head_size, const uint32_t rows, const uint32_t blocks) {
    const size_t block_floats = (size_t)head_size * ATTENTION_BLOCK;
    vector sum[MAX_SUMS] = {0};
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 0; i < head_size; i++, keys += ATTENTION_BLOCK, query++)
#pragma clang loop unroll(full)
        for (uint32_t b = 0; b < blocks; b++)
#pragma clang loop unroll(full)
            for (uint32_t v = 0; v < BLOCK_VECTORS; v++) {
                const float *from = keys + b * block_floats + v * VECTOR_LANES;
                vector key = load(from);
                if (blocks > 1) /* what the next tile reads */
                    _mm_prefetch((const char *)(from + blocks * block_floats), _MM_HINT_T0);
#pragma clang loop unroll(full)
                for (uint32_t r = 0; r < rows; r++)
                    sum[(b * rows + r) * BLOCK_VECTORS + v] +=
                        key * splat(query[(size_t)r * head_size]);
            }
#pragma clang loop unroll(full)
    for (uint32_t b = 0; b < blocks; b++)
#pragma clang loop unroll(full)
        for (uint32_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
            for (uint32_t v = 0; v < BLOCK_VECTORS; v++)
                store(scores + r * score_stride + b * ATTENTION_BLOCK + v * VECTOR_LANES,
                      sum[(b * rows + r) * BLOCK_VECTORS + v]);
}

static void score(float *scores, const float *query, const float *keys, uint32_t head_size,
                  uint32_t blocks, uint32_t rows, uint32_t score_stride) {
    const size_t block_floats = (size_t)head_size * ATTENTION_BLOCK;
    uint32_t row = 0;
    for (; rows - row >= KEY_ROWS; row += KEY_ROWS)
        for (uint32_t b = 0; b < blocks; b++)
            score_tile(scores + (size_t)row * score_stride + b * ATTENTION_BLOCK, score_stride,
                       query + (size_t)row * head_size, keys + b * block_floats, head_size,
                       KEY_ROWS, 1);
    for (; row < rows; row++) {
        uint32_t b = 0;
        for (; KEY_BLOCKS > 1 && blocks - b >= KEY_BLOCKS; b += KEY_BLOCKS)
            score_tile(scores + (size_t)row * score_stride + b * ATTENTION_BLOCK, 0,
                       query + (size_t)row * head_size, keys + b * block_floats, head_size, 1,
                       KEY_BLOCKS);
        for (; b < blocks; b++)
            score_tile(scores + (size_t)row * score_stride + b * ATTENTION_BLOCK, 0,
                       query + (size_t)row * head_size, keys + b * block_floats, head_size, 1, 1);
    }
}

/* ---- Softmax ---- */

static float weigh(float *scores, uint32_t skip, uint32_t positions, uint32_t size) {
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 0; i < skip; i++)
        scores[i] = -INFINITY;
    uint32_t padded = pad(scores, positions, -INFINITY);
    vector most = splat(largest(scores, padded));
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 0; i < padded; i += VECTOR_LANES)
        store(scores + i, exp2_minus(most - load(scores + i)));
    memset(scores, 0, skip * sizeof *scores);
    memset(scores + positions, 0, (size - positions) * sizeof *scores);
    return sum(scores, padded);
}

/* ---- Values ---- */

/* Adds to the sums of a tile, rows by vectors, weights times values of some positions. */
INLINE void mix_tile(float *sums, size_t row_sums, const float *weights, size_t score_stride,
                     const float *values, size_t value_stride, uint32_t positions,
                     const uint32_t rows) {
    vector sum[VALUE_ROWS][ATTENTION_SUMS][VALUE_VECTORS];
#pragma clang loop unroll(full)
    for (uint32_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (uint32_t j = 0; j < ATTENTION_SUMS; j++)
#pragma clang loop unroll(full)
            for (uint32_t v = 0; v < VALUE_VECTORS; v++)
                sum[r][j][v] = load(sums + r * row_sums + j * ATTENTION_CHUNK + v * VECTOR_LANES);
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 0; i < positions; i += ATTENTION_SUMS)
#pragma clang loop unroll(full)
        for (uint32_t j = 0; j < ATTENTION_SUMS; j++, values += value_stride)
#pragma clang loop unroll(full)
            for (uint32_t v = 0; v < VALUE_VECTORS; v++) {
                vector value = load(values + v * VECTOR_LANES);
                if (rows == 1 && VECTOR_LANES > 4)
                    _mm_prefetch((const char *)(values + AHEAD * value_stride), _MM_HINT_T0);
#pragma clang loop unroll(full)
                for (uint32_t r = 0; r < rows; r++)
                    sum[r][j][v] += splat(weights[r * score_stride + i + j]) * value;
            }
#pragma clang loop unroll(full)
    for (uint32_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (uint32_t j = 0; j < ATTENTION_SUMS; j++)
#pragma clang loop unroll(full)
            for (uint32_t v = 0; v < VALUE_VECTORS; v++)
                store(sums + r * row_sums + j * ATTENTION_CHUNK + v * VECTOR_LANES, sum[r][j][v]);
}

static void mix(float *sums, const float *weights, const float *values, uint32_t head_size,
                uint32_t positions, uint32_t rows, uint32_t score_stride) {
    const size_t row_sums = attention_row_sums(head_size);
    const size_t stride = attention_value_stride(head_size);
    for (uint32_t row = 0; row < rows;) {
        const uint32_t tile = rows - row >= VALUE_ROWS ? VALUE_ROWS : 1;
        for (uint32_t i = 0; i < head_size; i += VALUE_VECTORS * VECTOR_LANES) {
            float *to = sums + attention_sum_index(i);
            if (tile == VALUE_ROWS)
                mix_tile(to, row_sums, weights, score_stride, values + i, stride, positions,
                         VALUE_ROWS);
            else
                mix_tile(to, 0, weights, 0, values + i, stride, positions, 1);
        }
        row += tile;
        sums += tile * row_sums;
        weights += (size_t)tile * score_stride;
    }
}
