/*
 * A Llama model: its hyperparameters and its weights (Touvron et al., "Llama 2", 2023), as in the
 * files of llama2.c.
 */
#pragma once
#include "kernel_lib/runtime.h"
#include "tinyllama/kernels/matrix.h"

/* Hyperparameters. */
struct model_config {
    uint32_t dim;        /* length of the residual stream */
    uint32_t hidden_dim; /* length of the feed-forward network's hidden layer */
    uint32_t layers;
    uint32_t heads;    /* query heads; dim is a multiple */
    uint32_t kv_heads; /* heads of keys and values; heads is a multiple */
    uint32_t vocabulary;
    uint32_t context;       /* positions */
    bool shared_classifier; /* the embedding is the classifier too */
    uint32_t group;         /* columns that share a scale in an int8 model; 0: float32 */
};

static inline uint32_t model_head_size(const struct model_config *config) {
    return config->dim / config->heads;
}
static inline uint32_t model_kv_dim(const struct model_config *config) {
    return model_head_size(config) * config->kv_heads;
}

/* Matrices that are multiplied by the same vector are one matrix, one below the other. Each begins
 * at a whole block of rows. */
struct layer {
    float *attention_norm, *ffn_norm; /* [dim] */
    struct matrix qkv;                /* queries, keys, values */
    struct matrix attention_out;
    struct matrix gate_up; /* w1, w3 */
    struct matrix down;    /* w2 */
};

struct model {
    struct model_config config;
    struct matrix embedding;  /* [vocabulary][dim] */
    struct matrix classifier; /* [vocabulary][dim]; the embedding itself when they are shared */
    float *final_norm;        /* [dim] */
    struct layer *layer;      /* [layers] */
    void *memory;             /* everything above */
};

/* First rows of the parts of qkv and gate_up. */
static inline uint32_t model_key_row(const struct model_config *config) {
    return matrix_padded(config->dim);
}
static inline uint32_t model_value_row(const struct model_config *config) {
    return model_key_row(config) + matrix_padded(model_kv_dim(config));
}
static inline uint32_t model_up_row(const struct model_config *config) {
    return matrix_padded(config->hidden_dim);
}

/* Allocates the weights for model->config, as zeros. False and *error if there is no room. */
bool model_allocate(struct model *model, struct error *error);
void model_free(struct model *model);
