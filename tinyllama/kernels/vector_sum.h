/*
 * Sums and maxima of arrays, whose size is padded to whole blocks (kernels.h).
 */
#pragma once
#include "matrix.h"
#include "vector.h"
#include <math.h>

/* The sum of SUM_LANES partial sums, added as a balanced tree: of lanes that are 8 apart, then 4, 2
 * and 1. */
static inline float sum_lanes(const vector partial[SUM_VECTORS]) {
#if VECTOR_LANES == 16
    __m512 all = (__m512)partial[0];
    __m256 eight = _mm512_castps512_ps256(all) + _mm512_extractf32x8_ps(all, 1);
    __m128 four = _mm256_castps256_ps128(eight) + _mm256_extractf128_ps(eight, 1);
#elif VECTOR_LANES == 8
    __m256 eight = (__m256)(partial[0] + partial[1]);
    __m128 four = _mm256_castps256_ps128(eight) + _mm256_extractf128_ps(eight, 1);
#else
    __m128 four = (__m128)((partial[0] + partial[2]) + (partial[1] + partial[3]));
#endif
    four += _mm_movehl_ps(four, four);
    return four[0] + four[1];
}

static inline float sum(const float *x, uint32_t size) {
    vector partial[SUM_VECTORS] = {0};
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 0; i < size; i += SUM_LANES)
#pragma clang loop unroll(full)
        for (int j = 0; j < SUM_VECTORS; j++)
            partial[j] += load(x + i + j * VECTOR_LANES);
    return sum_lanes(partial);
}

static inline float largest(const float *x, uint32_t size) {
    vector most = load(x);
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = VECTOR_LANES; i < size; i += VECTOR_LANES)
        most = larger(most, load(x + i));
    float lanes[VECTOR_LANES];
    store(lanes, most);
#pragma clang loop vectorize(disable) unroll(disable)
    for (int i = 1; i < VECTOR_LANES; i++)
        if (lanes[i] > lanes[0])
            lanes[0] = lanes[i];
    return lanes[0];
}

/* Pads x, of size elements, with value to whole blocks. Returns the padded size. */
static inline uint32_t pad(float *x, uint32_t size, float value) {
    uint32_t padded = matrix_padded(size);
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = size; i < padded; i++)
        x[i] = value;
    return padded;
}
