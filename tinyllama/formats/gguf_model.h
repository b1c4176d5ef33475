/*
 * Models in GGUF files: the architectures llama, qwen2, qwen3 and gemma3, with weights of any of
 * the types of weight_types.h.
 */
#pragma once
#include "gguf.h"
#include "tinyllama/model.h"

/*
 * Reads the model. All of the header is checked before memory is allocated for the weights. False
 * and gguf->error if it is no such model, cannot be read or does not fit into memory; there is then
 * nothing to free.
 */
bool gguf_read_model(struct model *model, struct gguf *gguf);

/* ---- For gguf_model.c and gguf_weights.c ---- */

/* What is different between the architectures. */
struct architecture {
    const char *name;
    bool halves;           /* RoPE turns dimension i with i + half of them, not with i + 1 */
    bool gelu;             /* the activation */
    bool qkv_bias;         /* llama has one if the file has */
    bool qk_norm;          /* RMSNorm of each head of queries and keys */
    bool post_norms;       /* RMSNorm of what attention and feed-forward network add */
    bool embedding_scaled; /* by the root of its length */
    uint32_t global_every; /* with a window: each so many layers the last is global; 0: no window */
};

/* The architecture and hyperparameters of a file. */
bool gguf_read_config(const struct gguf *gguf, const struct architecture **architecture,
                      struct model_config *config);
/* Allocates and reads the weights of a model with this config. */
bool gguf_read_weights(struct model *model, struct gguf *gguf,
                       const struct architecture *architecture);
