/*
 * The forward pass: tokens in, the logits of the next one out. Several tokens that are known, those
 * of a prompt, go through it together, as a batch, so that a weight is loaded once for all of them.
 * That changes no bit of what one token after the other gives.
 */
#pragma once
#include "model.h"
#include "tinyllama/kernels/kernels.h"

/* Most positions of a batch. Memory for activations grows with it, gains hardly. */
#define INFERENCE_BATCH 16u

/* What a sequence of tokens needs beside the model. */
struct inference {
    const struct model *model;
    const struct kernels *kernels;
    uint32_t positions; /* room in the caches */
    uint32_t batch;     /* most positions of a batch */
    uint32_t value_stride;
    float *frequencies; /* [head_size / 2]: angle of RoPE per position */
    /* For each position of the batch: */
    float *cosines, *sines; /* for queries and keys as they lie in qkv */
    float *x;               /* the residual stream */
    float *normed;          /* x after RMSNorm */
    float *qkv;             /* queries, keys, values */
    float *attended;        /* all heads' attention */
    float *branch;          /* what is added to x next */
    float *gate_up;
    struct quantized quantized;
    /* For one position: */
    float *scores;
    float *logits; /* [vocabulary] */
    float *keys;   /* [layer][kv head][block][head_size][ATTENTION_BLOCK] */
    float *values; /* [layer][kv head][position][value_stride] */
    void *memory;
};

/* Prepares for sequences of up to positions tokens. False and *error if there is no room. */
bool inference_init(struct inference *inference, const struct model *model,
                    const struct kernels *kernels, uint32_t positions, struct error *error);
void inference_free(struct inference *inference);

/*
 * Runs the model on count tokens (each below vocabulary; 1 <= count <= batch) at position,
 * position + 1, ..., which count from 0 and are below positions; all positions before them have
 * been run.
 */
void inference_forward(struct inference *inference, const uint32_t *tokens, uint32_t count,
                       uint32_t position);

/* Stores the logits of what follows the last batch's token number index (from 0) in logits. */
void inference_classify(struct inference *inference, uint32_t index);

/* y = W x for count positions, with x quantised when W is int8. Sizes as in kernels.h. */
void inference_multiply(struct inference *inference, float *y, const struct matrix *w,
                        const float *x, uint32_t x_stride, uint32_t count);
