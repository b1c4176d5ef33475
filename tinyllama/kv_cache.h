/*
 * The KV cache: the keys and values of a sequence's positions, of every layer. A local layer keeps
 * only the positions that its window and a batch need: later ones overwrite them.
 */
#pragma once
#include "arena.h"
#include "attention.h"
#include "model.h"

struct kv_cache {
    const struct model_config *config;
    enum kv_type type;
    uint32_t blocks[LAYER_KINDS];  /* of ATTENTION_BLOCK positions, that a layer of a kind keeps */
    size_t key_bytes, value_bytes; /* of a block of one head */
    uint32_t positions;            /* that the sequence has */
    uint32_t oldest;               /* the oldest position that local layers have */
    char **layers; /* each the keys of all heads, [head][block], and then the values */
};

/* The name of a type: "f32", "f16", "q8". */
extern const char *const kv_type_names[KV_TYPES];

/* The type for a model: binary16 adds nothing that shows to the error of activations that are
 * rounded for GGUF's quantised weights. Other models have float32, which is exact. */
enum kv_type kv_type_for(const struct model *model);

/* Prepares a cache for so many positions, stored in batches of up to batch. */
void kv_cache_init(struct kv_cache *cache, const struct model_config *config, enum kv_type type,
                   uint32_t positions, uint32_t batch);

/* Takes its memory from the arena. */
void kv_cache_take(struct kv_cache *cache, struct arena *arena);

/* Bytes of all keys and values. */
size_t kv_cache_bytes(const struct kv_cache *cache);

/* Stores the keys and values of all heads for a layer's position: each [kv_heads][head_size]. The
 * sequence ends with this position. All before it have been stored. */
void kv_cache_store(struct kv_cache *cache, uint32_t layer, uint32_t position, const float *keys,
                    const float *values);

/* Sets type, blocks, keys and values of attention to a layer's head. */
void kv_cache_find(const struct kv_cache *cache, uint32_t layer, uint32_t head,
                   struct attention *attention);

/* Whether a sequence can go on from its first count positions as they are: whether they, or what
 * local layers need of them, are in the cache. Otherwise it has to begin at position 0. */
bool kv_cache_has(const struct kv_cache *cache, uint32_t count);
