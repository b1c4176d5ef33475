/*
 * A Llama model (Touvron et al., "Llama 2", 2023) or one of its relatives: its hyperparameters and
 * its weights. formats/checkpoint.c reads llama2.c's files, formats/gguf_model.c GGUF's.
 */
#pragma once
#include "kernel_lib/runtime.h"
#include "tinyllama/kernels/matrix.h"

/* The two kinds of layers: what only local layers have is not used without a window. */
enum layer_kind { LAYER_GLOBAL, LAYER_LOCAL, LAYER_KINDS };

/* RoPE (Su et al., 2021): pair i of a head turns by
 * position * scale * e^(-ln_base * 2 i / rope_dims). */
struct rope {
    double ln_base;
    double scale;
};

/* Hyperparameters. A member that is 0 means what llama2.c's models have. */
struct model_config {
    uint32_t dim;        /* length of the residual stream */
    uint32_t hidden_dim; /* length of the feed-forward network's hidden layer */
    uint32_t layers;
    uint32_t heads;    /* query heads; dim is a multiple */
    uint32_t kv_heads; /* heads of keys and values; heads is a multiple */
    uint32_t vocabulary;
    uint32_t context;              /* positions */
    bool shared_classifier;        /* the embedding is the classifier too */
    uint32_t group;                /* columns that share a scale in an int8 model; 0: float32 */
    uint32_t head_size;            /* 0: dim / heads */
    uint32_t rope_dims;            /* how many dimensions of a head turn; 0: all */
    struct rope rope[LAYER_KINDS]; /* ln_base 0: ln 10000 */
    float norm_epsilon;            /* of RMSNorm; 0: 1e-5 */
    float embedding_scale;         /* the embedding is multiplied by it; 0: by nothing */
    float logit_cap;               /* logits are cap * tanh(logit / cap); 0: as they are */
    uint32_t window;               /* positions that a local layer attends to; 0: no such layers */
    uint32_t global_every;         /* with a window, each so many layers the last is global */
    bool gelu;                     /* the activation: GELU (by tanh) in place of SiLU */
    bool qkv_bias, qk_norm, post_norms; /* whether there are such weights (struct layer) */
};

static inline uint32_t model_head_size(const struct model_config *config) {
    return config->head_size ? config->head_size : config->dim / config->heads;
}
static inline uint32_t model_query_dim(const struct model_config *config) {
    return model_head_size(config) * config->heads;
}
static inline uint32_t model_kv_dim(const struct model_config *config) {
    return model_head_size(config) * config->kv_heads;
}

static inline enum layer_kind model_layer_kind(const struct model_config *config, uint32_t layer) {
    return config->window && (layer + 1) % config->global_every != 0 ? LAYER_LOCAL : LAYER_GLOBAL;
}

/* Matrices that are multiplied by the same vector are one matrix, one below the other. Each
 * begins at a whole block of rows. Where GGUF's types would not allow that, each is a matrix of
 * its own. */
struct layer {
    float *attention_norm, *ffn_norm;           /* [dim] */
    float *attention_post_norm, *ffn_post_norm; /* [dim], of the branches' outputs, or NULL */
    float *query_norm, *key_norm;               /* [head_size], of each head, or NULL */
    float *qkv_bias;                            /* [rows of queries, keys, values], or NULL */
    struct matrix qkv;                          /* queries, keys, values; or only queries, and: */
    struct matrix key, value;                   /* 0 rows when they are in qkv */
    struct matrix attention_out;
    struct matrix gate_up; /* w1, w3; or only w1, and: */
    struct matrix up;      /* 0 rows when it is in gate_up */
    struct matrix down;    /* w2 */
};

/* The types of a layer's matrices in a GGUF file. */
struct layer_types {
    const struct weight_type *query, *key, *value, *attention_out, *gate, *up, *down;
};

struct model {
    struct model_config config;
    struct matrix embedding;  /* [vocabulary][dim] */
    struct matrix classifier; /* [vocabulary][dim]; the embedding itself when they are shared */
    float *final_norm;        /* [dim] */
    float *rope_factors;      /* [rope_dims / 2] divisors of the angles of global layers, or NULL */
    struct layer *layer;      /* [layers] */
    bool has_blocks;          /* whether a matrix has one of GGUF's quantised types */
    void *memory;             /* everything above */
};

/* First rows of the parts of qkv and gate_up. */
static inline uint32_t model_key_row(const struct model_config *config) {
    return matrix_padded(model_query_dim(config));
}
static inline uint32_t model_value_row(const struct model_config *config) {
    return model_key_row(config) + matrix_padded(model_kv_dim(config));
}
/* Rows of queries, keys and values together. */
static inline uint32_t model_qkv_rows(const struct model_config *config) {
    return model_value_row(config) + matrix_padded(model_kv_dim(config));
}
static inline uint32_t model_up_row(const struct model_config *config) {
    return matrix_padded(config->hidden_dim);
}

/* Allocates the weights for model->config, as zeros. False and *error if there is no room. */
bool model_allocate(struct model *model, struct error *error);

/* The types of all matrices of a GGUF model. */
struct model_types {
    const struct weight_type *embedding, *classifier;
    const struct layer_types *layer; /* [layers] */
    bool rope_factors;               /* whether the model has them */
};
/* The same with the matrices in these types. */
bool model_allocate_types(struct model *model, const struct model_types *types,
                          struct error *error);
void model_free(struct model *model);
