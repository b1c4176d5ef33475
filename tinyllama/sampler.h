/*
 * Chooses the next token from the logits, in the order of llama.cpp's default chain of samplers:
 *
 *  1. Repetition penalty (Keskar et al., 2019, "CTRL"). The logit of each token that is among the
 *     last repeat_last_n of the text is divided by repeat_penalty if it is positive, and multiplied
 *     by it otherwise.
 *  2. At temperature 0: the likeliest token. Else: p = softmax(logits).
 *  3. Top-k (Fan et al., 2018, "Hierarchical Neural Story Generation"). The top_k likeliest remain.
 *  4. Top-p, the nucleus (Holtzman et al., 2020). Of these the likeliest remain: as few as have
 *     together a share of more than top_p.
 *  5. Min-p (Nguyen et al., 2024, "Turning Up the Heat"). Of these remain those with
 *     p >= min_p * (p of the likeliest).
 *  6. Temperature: p = softmax(logits / temperature) of those that remain. One of them at random,
 *     by p.
 */
#pragma once
#include "kernel_lib/runtime.h"

struct candidate {
    float probability;
    uint32_t token;
};

struct sampling {
    float temperature;      /* 0 or more */
    uint32_t top_k;         /* 0: all */
    float top_p;            /* 0, or 1 and more: all */
    float min_p;            /* 0: all */
    float repeat_penalty;   /* 1: none */
    uint32_t repeat_last_n; /* of the text's tokens; 0: no penalty */
};

struct sampler {
    struct sampling sampling; /* may be changed between two tokens */
    uint32_t vocabulary;
    uint64_t state;               /* of the random numbers, xorshift64*: the seed, not 0 */
    struct candidate *candidates; /* [vocabulary] */
    float *logits;                /* [vocabulary]: a copy */
    uint32_t *seen;               /* [vocabulary]: the last place of a token in the text, from 1 */
    uint32_t length;              /* tokens of the text */
};

/* False and *error if there is no memory. seed must not be 0. */
bool sampler_init(struct sampler *sampler, uint32_t vocabulary, const struct sampling *sampling,
                  uint64_t seed, struct error *error);
void sampler_free(struct sampler *sampler);

/* Begins a new text with these tokens. What sampler_sample returns later belongs to it. */
void sampler_begin(struct sampler *sampler, const uint32_t *tokens, uint32_t count);

#define SAMPLER_NO_TOKEN UINT32_MAX

/* The next token; SAMPLER_NO_TOKEN when a logit is NaN. logits is a vector as in kernels.h, and is
 * changed. */
uint32_t sampler_sample(struct sampler *sampler, float *logits);
