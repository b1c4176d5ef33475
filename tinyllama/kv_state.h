/*
 * The keys and values of a KV cache as bytes, to be kept on a disk.
 */
#pragma once
#include "kv_cache.h"

/* What tells whether such bytes fit a cache: they do if all of it is the same. */
struct kv_state {
    uint32_t type, blocks[LAYER_KINDS];
    uint32_t key_bytes, value_bytes; /* of a block of one head */
    uint32_t positions, oldest;      /* as in struct kv_cache */
    uint32_t unused;
    uint64_t bytes;
};

/* Describes what a cache has now. */
struct kv_state kv_state_of(const struct kv_cache *cache);

/* Copies state.bytes bytes out of the cache. */
void kv_state_save(const struct kv_cache *cache, char *bytes);

/* Copies them into a cache of the same kind; false, and nothing is changed, if it is not. */
bool kv_state_load(struct kv_cache *cache, const struct kv_state *state, const char *bytes);
