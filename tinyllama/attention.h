/*
 * Attention of the query heads that share one head of keys and values, for some positions, one
 * after the other. A row is one of these query heads at one of the positions.
 *
 * All rows go through the keys together, a run of blocks after the other, and then through the
 * values: each is read, and converted to float32, once. The order of the sums depends neither on
 * the number of rows nor on the first block. A score is a sum over the dimensions in their order.
 * Position i is in the partial sum i mod 16 of the weights, and in the partial sum i mod
 * ATTENTION_SUMS of the values. A position that a row does not attend to adds zero.
 */
#pragma once
#include "tinyllama/kernels/kernels.h"

struct attention {
    enum kv_type type;
    uint32_t first, count; /* the positions */
    uint32_t window;       /* a position attends to so many up to itself; 0: to all */
    const float *query;    /* [row][head_size], already scaled by log2(e) / sqrt(head_size) */
    /* Block b of the sequence is the (b mod blocks)-th here. After the last block of values, memory
     * of 8 more numbers may be read. */
    uint32_t blocks;
    const char *keys, *values;
    float *out;          /* [position][out_stride], of each its query heads; may not be query */
    uint32_t out_stride; /* floats */
    /* Memory to work with: */
    float *scores;   /* [row], each as long as the positions attended to, in whole blocks */
    float *weights;  /* [row] */
    float *sums;     /* [row][attention_row_sums] */
    float *unpacked; /* ATTENTION_RUN blocks of keys or values as float32, and 8 floats */
};

/* out = softmax(query keys^T) values, for all rows; head_size is not padded. */
void attend(const struct attention *attention, const struct kernels *kernels, uint32_t head_size,
            uint32_t queries);
