/* The kernels of attention (attention.h), for kernels.c. */
#pragma once
#include "attention.h"
#include "vector_exp.h"
#include "vector_sum.h"

/* Sizes of tiles whose sums fit into the registers: rows by a block of keys; rows by a vector of
 * values, or one row by some vectors. With one row memory is what takes the time: the tile must be
 * wide, because it is faster the fewer times one goes through it. */
#if VECTOR_LANES == 16
#define KEY_ROWS 4
#define VALUE_ROWS 4
#define VALUE_VECTORS 4
#elif VECTOR_LANES == 8
#define KEY_ROWS 4
#define VALUE_ROWS 2
#define VALUE_VECTORS 2
#else
#define KEY_ROWS 2
#define VALUE_ROWS 1
#define VALUE_VECTORS 2
#endif

#define BLOCK_VECTORS (ATTENTION_BLOCK / VECTOR_LANES)

/* SSE2 converts in so many instructions that they are not repeated where they save a pass. */
#define READS_HALVES (VECTOR_LANES > 4)

#define AHEAD_HALVES 4096 /* how far numbers that are converted are asked for before */

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

/* The scores of a tile: query keys^T for rows by a block of keys. */
INLINE void score_tile(float *scores, size_t score_stride, const float *query, const char *keys,
                       uint32_t head_size, const bool halves, const uint32_t rows) {
    const size_t number = halves ? sizeof(uint16_t) : sizeof(float);
    vector sum[MAX_SUMS] = {0};
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 0; i < head_size; i++, keys += ATTENTION_BLOCK * number, query++)
#pragma clang loop unroll(full)
        for (uint32_t v = 0; v < BLOCK_VECTORS; v++) {
            const char *from = keys + v * VECTOR_LANES * number;
            vector key = halves ? load_halves(from) : load((const float *)from);
#pragma clang loop unroll(full)
            for (uint32_t r = 0; r < rows; r++)
                sum[r * BLOCK_VECTORS + v] += key * splat(query[(size_t)r * head_size]);
        }
#pragma clang loop unroll(full)
    for (uint32_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (uint32_t v = 0; v < BLOCK_VECTORS; v++)
            store(scores + r * score_stride + v * VECTOR_LANES, sum[r * BLOCK_VECTORS + v]);
}

static void score(float *scores, const float *query, const void *keys, uint32_t head_size,
                  bool halves, uint32_t blocks, uint32_t rows, uint32_t score_stride) {
    const size_t number = halves ? sizeof(uint16_t) : sizeof(float);
    const char *end = (const char *)keys + blocks * head_size * ATTENTION_BLOCK * number;
    for (const char *block = keys; block < end; block += head_size * ATTENTION_BLOCK * number) {
        uint32_t row = 0;
        for (; rows - row >= KEY_ROWS; row += KEY_ROWS)
            score_tile(scores + (size_t)row * score_stride, score_stride,
                       query + (size_t)row * head_size, block, head_size, false, KEY_ROWS);
        for (; row < rows; row++)
            if (READS_HALVES && halves)
                score_tile(scores, 0, query, block, head_size, true, 1);
            else
                score_tile(scores + (size_t)row * score_stride, 0, query + (size_t)row * head_size,
                           block, head_size, false, 1);
        scores += ATTENTION_BLOCK;
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
                     const char *values, size_t stride, bool halves, uint32_t positions,
                     const uint32_t rows, const uint32_t vectors) {
    vector sum[VALUE_ROWS][ATTENTION_SUMS][VALUE_VECTORS];
#pragma clang loop unroll(full)
    for (uint32_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (uint32_t j = 0; j < ATTENTION_SUMS; j++)
#pragma clang loop unroll(full)
            for (uint32_t v = 0; v < vectors; v++)
                sum[r][j][v] = load(sums + r * row_sums + j * ATTENTION_CHUNK +
                                    attention_sum_index(v * VECTOR_LANES));
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 0; i < positions; i += ATTENTION_SUMS)
#pragma clang loop unroll(full)
        for (uint32_t j = 0; j < ATTENTION_SUMS; j++, values += stride) {
            vector value[VALUE_VECTORS];
            if (READS_HALVES && halves)
#pragma clang loop unroll(full)
                for (uint32_t v = 0; v < vectors; v++)
                    value[v] = load_halves((const uint16_t *)values + v * VECTOR_LANES);
            else
#pragma clang loop unroll(full)
                for (uint32_t v = 0; v < vectors; v++)
                    value[v] = load((const float *)values + v * VECTOR_LANES);
#pragma clang loop unroll(full)
            for (uint32_t v = 0; v < vectors; v++)
#pragma clang loop unroll(full)
                for (uint32_t r = 0; r < rows; r++)
                    sum[r][j][v] += splat(weights[r * score_stride + i + j]) * value[v];
        }
#pragma clang loop unroll(full)
    for (uint32_t r = 0; r < rows; r++)
#pragma clang loop unroll(full)
        for (uint32_t j = 0; j < ATTENTION_SUMS; j++)
#pragma clang loop unroll(full)
            for (uint32_t v = 0; v < vectors; v++)
                store(sums + r * row_sums + j * ATTENTION_CHUNK +
                          attention_sum_index(v * VECTOR_LANES),
                      sum[r][j][v]);
}

/* One row. */
static void mix_row(float *sums, const float *weights, const char *values, uint32_t head_size,
                    bool halves, uint32_t positions) {
    const size_t number = halves ? sizeof(uint16_t) : sizeof(float);
    const size_t stride = attention_value_stride(head_size) * number;
    for (uint32_t i = 0, now; i < head_size; i += now) {
        float *to = sums + attention_sum_index(i);
        const char *from = values + i * number;
        now = VALUE_VECTORS * VECTOR_LANES;
        if (VECTOR_LANES == 4 || head_size - i >= now) {
            mix_tile(to, 0, weights, 0, from, stride, halves, positions, 1, VALUE_VECTORS);
            continue;
        }
        mix_tile(to, 0, weights, 0, from, stride, halves, positions, 1, 1);
        now = VECTOR_LANES;
    }
}

static void mix(float *sums, const float *weights, const void *values, uint32_t head_size,
                bool halves, uint32_t positions, uint32_t rows, uint32_t score_stride) {
    const size_t row_sums = attention_row_sums(head_size);
    uint32_t row = 0;
    for (; VALUE_ROWS > 1 && rows - row >= VALUE_ROWS; row += VALUE_ROWS) {
        for (uint32_t i = 0; i < head_size; i += VECTOR_LANES)
            mix_tile(sums + attention_sum_index(i), row_sums, weights, score_stride,
                     (const char *)((const float *)values + i),
                     attention_value_stride(head_size) * sizeof(float), false, positions,
                     VALUE_ROWS, 1);
        sums += VALUE_ROWS * row_sums;
        weights += (size_t)VALUE_ROWS * score_stride;
    }
    for (; row < rows; row++, sums += row_sums, weights += score_stride)
        mix_row(sums, weights, values, head_size, halves, positions);
}
