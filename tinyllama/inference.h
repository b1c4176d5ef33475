/*
 * The forward pass: tokens in, the logits of the next token out. The tokens of a prompt are a
 * batch: a weight is loaded once for all of them. A batch gives the same bits as its tokens one by
 * one.
 */
#pragma once
#include "kv_cache.h"
#include "tinyllama/kernels/kernels.h"

/* Most positions of a batch, and the least that there is memory for. */
#define INFERENCE_BATCH MATRIX_BATCH
#define INFERENCE_LEAST_BATCH 16u

/* The activations and the KV cache of a sequence of tokens. */
struct inference {
    const struct model *model;
    const struct kernels *kernels;
    uint32_t positions; /* room in the KV cache */
    uint32_t batch;     /* most positions of a batch */
    struct kv_cache cache;
    uint32_t kinds;                  /* of layers: how many of layer_kind there are */
    float *frequencies[LAYER_KINDS]; /* [head_size / 2]: angle of RoPE per position */
    /* For each position of the batch: */
    float *cosines[LAYER_KINDS], *sines[LAYER_KINDS]; /* of RoPE, for queries and keys as they lie
                                                         in qkv */
    float *x;                                         /* the residual stream */
    float *normed;                                    /* x after RMSNorm */
    float *qkv;                                       /* queries, keys, values */
    float *attended;                                  /* the attention of all heads */
    float *branch;              /* output of attention or feed-forward network, to be added to x */
    float *gate_up;             /* w1 and w3 times normed; then silu(gate) * up */
    struct quantized quantized; /* what an int8 matrix is multiplied by */
    struct rounded rounded;     /* what a matrix of GGUF's blocks is multiplied by */
    /* For the query heads of one head of keys and values: */
    float *query;               /* [batch][query heads][head_size], gathered from qkv */
    struct attention attention; /* with the memory that it works with */
    /* For one position: */
    float *head;   /* one head, padded */
    float *logits; /* [vocabulary] */
    void *memory;
};

/* Prepares for sequences of up to positions tokens, with a KV cache of this type. False and *error
 * if there is no room. */
bool inference_init(struct inference *inference, const struct model *model,
                    const struct kernels *kernels, uint32_t positions, enum kv_type kv,
                    struct error *error);
void inference_free(struct inference *inference);

/*
 * Runs the layers on count tokens (1 <= count <= batch, each token below vocabulary) at position,
 * position + 1, ... These are below positions, and all positions before them have been run:
 * position is 0, or kv_cache_has(&inference->cache, position).
 */
void inference_forward(struct inference *inference, const uint32_t *tokens, uint32_t count,
                       uint32_t position);

/* Computes the logits of the token after the index-th (from 0) token of the last batch. */
void inference_classify(struct inference *inference, uint32_t index);

/* y = W x for count positions; x is quantised first if W is. Sizes as in kernels.h. */
void inference_multiply(struct inference *inference, float *y, const struct matrix *w,
                        const float *x, uint32_t x_stride, uint32_t count);
