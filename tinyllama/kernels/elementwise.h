/*
 * Operations on vectors that are not worth a version for each vector width. Vectors and sizes are
 * as in kernels.h.
 */
#pragma once
#include "matrix.h"

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
