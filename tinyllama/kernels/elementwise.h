/*
 * Operations on vectors that are not worth a version for each vector width. Vectors and sizes are
 * as in kernels.h.
 */
#pragma once
#include "matrix.h"
#include "tinyllama/formats/quantized.h"

/* Quantises x: scale = largest magnitude / 127, values rounded to nearest, halves away from zero.
 * columns is not padded and a multiple of group. */
void quantize(struct quantized *out, const float *x, uint32_t columns, uint32_t group);

/* Rounds x for matrices of GGUF's quantised types: group columns, whole parts, share a scale. */
void round_blocks(const struct rounded *out, const float *x, uint32_t columns, uint32_t group);
/* The same for count positions, each x_stride after the one before. */
void round_all(const struct rounded *out, const float *x, uint32_t x_stride, uint32_t count,
               uint32_t columns, uint32_t group);

/* The first index of the largest element; 0 if all are NaN. size is not padded, but the room is. */
uint32_t argmax(float *x, uint32_t size);

/* x = limit * tanh(x / limit); size is not padded, but the room is. */
void cap(float *x, uint32_t size, float limit);

/* ln of the sum of e^x, to some 2^-22 of that sum; size is not padded. */
double log_sum_exp(const float *x, uint32_t size);

/* Whether an element is NaN. */
bool any_nan(const float *x, uint32_t size);

/* x = softmax(x / temperature); size is not padded, but the room is. */
void softmax(float *x, uint32_t size, float temperature);
