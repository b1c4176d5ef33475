/* Operations on vectors that take time proportional to their length, with SSE2. */
#include "elementwise.h"
#include "kernels.h"
#include "tinyllama/natural.h"
#include "vector_exp.h"
#include "vector_sum.h"

bool any_nan(const float *x, uint32_t size) {
    uint32_t most = 0; /* without the sign bit, floats compare as integers do; NaN is the largest */
    for (uint32_t i = 0; i < size; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7FFFFFFF;
        most = bits > most ? bits : most;
    }
    return most > 0x7F800000;
}

void cap(float *x, uint32_t size, float limit) {
    vector factor = splat(2.0f * LOG2_E / limit), one = splat(1.0f);
    for (uint32_t i = 0; i < matrix_padded(size); i += VECTOR_LANES) {
        vector v = load(x + i);
        vector_i32 sign = (vector_i32)v & INT32_MIN;
        vector power = exp2_minus((vector)((vector_i32)v & INT32_MAX) * factor);
        vector tanh = (one - power) / (one + power); /* of the magnitude */
        store(x + i, splat(limit) * (vector)((vector_i32)tanh | sign));
    }
}

uint32_t argmax(float *x, uint32_t size) {
    float most = largest(x, pad(x, size, -INFINITY));
    for (uint32_t i = 0; i < size; i++)
        if (x[i] == most)
            return i;
    return 0;
}

void softmax(float *x, uint32_t size, float temperature) {
    uint32_t padded = pad(x, size, -INFINITY);
    vector most = splat(largest(x, padded)), factor = splat(LOG2_E / temperature);
    for (uint32_t i = 0; i < padded; i += VECTOR_LANES)
        store(x + i, exp2_minus((most - load(x + i)) * factor));
    pad(x, size, 0.0f);
    vector total = splat(sum(x, padded));
    for (uint32_t i = 0; i < padded; i += VECTOR_LANES)
        store(x + i, load(x + i) / total);
}

double log_sum_exp(const float *x, uint32_t size) {
    float most = x[0];
    for (uint32_t i = 1; i < size; i++)
        most = x[i] > most ? x[i] : most;
    double total = 0.0;
    for (uint32_t i = 0; i < size; i += VECTOR_LANES) {
        float part[VECTOR_LANES];
        for (uint32_t j = 0; j < VECTOR_LANES; j++)
            part[j] = i + j < size ? x[i + j] : -INFINITY;
        vector power = exp2_minus((splat(most) - load(part)) * splat(LOG2_E));
        for (uint32_t j = 0; j < VECTOR_LANES && i + j < size; j++)
            total += (double)power[j];
    }
    return (double)most + logarithm(total);
}
