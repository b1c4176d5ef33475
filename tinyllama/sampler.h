/*
 * Chooses the next token from the logits, in these steps:
 *
 *  1. Repetition penalty (Keskar et al., 2019, "CTRL"). The logit of each token that is in the text
 *     already is divided by repeat if it is positive, and multiplied by repeat otherwise.
 *  2. At temperature 0: the likeliest token. Else: p = softmax(logits / temperature).
 *  3. Top-k (Fan et al., 2018, "Hierarchical Neural Story Generation"). The topk likeliest remain.
 *  4. Top-p, the nucleus (Holtzman et al., 2020). Of these the likeliest remain: as few as have
 *     together a share of more than topp.
 *  5. Min-p (Nguyen et al., 2024, "Turning Up the Heat"). Of these remain those with
 *     p >= minp * (p of the likeliest).
 *  6. One of them at random, by p.
 */
#pragma once
#include "kernel_lib/runtime.h"

struct candidate {
    float probability;
    uint32_t token;
};

struct sampling {
    float temperature; /* 0 or more */
    uint32_t topk;     /* 0: all */
    float topp;        /* 0, or 1 and more: all */
    float minp;        /* 0: all */
    float repeat;      /* 1: no penalty */
};

struct sampler {
    struct sampling sampling; /* may be changed between two tokens */
    uint32_t vocabulary;
    uint64_t state;               /* of the random numbers, xorshift64*: the seed, not 0 */
    struct candidate *candidates; /* [vocabulary] */
    bool *present;                /* [vocabulary]: whether the text has this token */
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
