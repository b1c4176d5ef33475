/*
 * Sums and maxima of arrays, whose size is padded to whole blocks (kernels.h).
 */
#pragma once
#include "matrix.h"
#include "vector.h"
#include <math.h>

/* The sum of SUM_LANES partial sums, added as a balanced tree. */
static inline float sum_lanes(const vector partial[SUM_VECTORS]) {
    float lanes[SUM_LANES];
    for (int i = 0; i < SUM_VECTORS; i++)
        store(lanes + i * VECTOR_LANES, partial[i]);
    for (int half = SUM_LANES / 2; half > 0; half /= 2)
        for (int i = 0; i < half; i++)
            lanes[i] += lanes[i + half];
    return lanes[0];
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
