/*
 * The small operations of the forward pass. Vectors and sizes are as kernels.h says.
 */
#pragma once
#include "matrix.h"
#include "quantized.h"

/* Quantises x: scale = largest magnitude / 127, values rounded to nearest, halves away from zero.
 * columns is not padded and a multiple of group. */
void quantize(struct quantized *out, const float *x, uint32_t columns, uint32_t group);

/* RMSNorm: out = weight * x / sqrt(mean(x^2) + 1e-5); size is not padded. out may be x. */
void rms_norm(float *out, const float *x, const float *weight, uint32_t size);

/* Rotates each pair of neighbours: x = x * cosines + swapped(x) * sines, where the first sine of
 * each pair is negated. */
void rotate(float *x, const float *cosines, const float *sines, uint32_t size);

/* SwiGLU: gate = gate * sigmoid(gate) * up */
void swiglu(float *gate, const float *up, uint32_t size);

/* x += y */
void add(float *x, const float *y, uint32_t size);

/* The index of the largest element, of the first among equal ones; 0 when none is a number. size is
 * not padded, but the room is. */
uint32_t argmax(float *x, uint32_t size);

/* x = softmax(x / temperature); size is not padded, but the room is. */
void softmax(float *x, uint32_t size, float temperature);
