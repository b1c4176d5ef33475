/*
 * Chooses the next token from logits, in these steps:
 *  1. Repetition penalty (Keskar et al., 2019, "CTRL"): logits of tokens that the text has already
 * are divided by repeat when positive and multiplied by it otherwise.
 *  2. The likeliest at temperature 0; else softmax of the logits over the temperature.
 *  3. Top-k (Fan et al., 2018, "Hierarchical Neural Story Generation"): the topk likeliest remain.
 *  4. Nucleus, top-p (Holtzman et al., 2020): of these, the fewest likeliest whose share exceeds
 * topp.
 *  5. Min-p (Nguyen et al., 2024, "Turning Up the Heat"): of these, all that are at least minp
 * times as likely as the likeliest.
 *  6. By chance, one of them.
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
    float topp;        /* within (0, 1); all tokens count at 0, and from 1 on */
    float minp;        /* 0: all; to 1: only those as likely as the likeliest */
    float repeat;      /* 1: no penalty; more: one */
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

/* A new text begins with these tokens. Those that sampler_sample returns from now on belong to it.
 */
void sampler_begin(struct sampler *sampler, const uint32_t *tokens, uint32_t count);

#define SAMPLER_NO_TOKEN UINT32_MAX

/* The next token; SAMPLER_NO_TOKEN when one of the logits is NaN. logits are as kernels.h wants
 * vectors, with room for padding, and are changed. */
uint32_t sampler_sample(struct sampler *sampler, float *logits);
