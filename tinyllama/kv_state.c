/* KV caches as bytes. */
#include "kv_state.h"

/* How many blocks of a layer are in use by so many positions. */
static size_t used_blocks(const struct kv_cache *cache, uint32_t layer, uint32_t positions) {
    uint32_t blocks = cache->blocks[model_layer_kind(cache->config, layer)];
    uint32_t used = (positions + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    return used < blocks ? used : blocks;
}

struct kv_state kv_state_of(const struct kv_cache *cache) {
    struct kv_state state = {
        .type = cache->type,
        .key_bytes = (uint32_t)cache->key_bytes,
        .value_bytes = (uint32_t)cache->value_bytes,
        .positions = cache->positions,
        .oldest = cache->oldest,
    };
    for (int kind = 0; kind < LAYER_KINDS; kind++)
        state.blocks[kind] = cache->blocks[kind];
    for (uint32_t layer = 0; layer < cache->config->layers; layer++)
        state.bytes += (uint64_t)used_blocks(cache, layer, cache->positions) *
                       cache->config->kv_heads * (cache->key_bytes + cache->value_bytes);
    return state;
}

/* Calls copy for each part of the cache that positions use, and the bytes that belong to it. */
static void for_each_part(const struct kv_cache *cache, uint32_t positions, char *bytes,
                          void (*copy)(char *part, char *bytes, size_t size)) {
    for (uint32_t layer = 0; layer < cache->config->layers; layer++) {
        size_t used = used_blocks(cache, layer, positions);
        for (uint32_t head = 0; head < cache->config->kv_heads; head++) {
            struct attention at;
            kv_cache_find(cache, layer, head, &at);
            copy((char *)at.keys, bytes, used * cache->key_bytes);
            bytes += used * cache->key_bytes;
            copy((char *)at.values, bytes, used * cache->value_bytes);
            bytes += used * cache->value_bytes;
        }
    }
}

static void copy_out(char *part, char *bytes, size_t size) {
    memcpy(bytes, part, size);
}

static void copy_in(char *part, char *bytes, size_t size) {
    memcpy(part, bytes, size);
}

void kv_state_save(const struct kv_cache *cache, char *bytes) {
    for_each_part(cache, cache->positions, bytes, copy_out);
}

bool kv_state_load(struct kv_cache *cache, const struct kv_state *state, const char *bytes) {
    struct kv_cache then = *cache;
    then.positions = state->positions;
    then.oldest = state->oldest;
    struct kv_state fits = kv_state_of(&then);
    if (state->positions > cache->blocks[LAYER_GLOBAL] * ATTENTION_BLOCK ||
        memcmp(&fits, state, sizeof fits) != 0)
        return false;
    for_each_part(cache, state->positions, (char *)bytes, copy_in);
    cache->positions = state->positions;
    cache->oldest = state->oldest;
    return true;
}
