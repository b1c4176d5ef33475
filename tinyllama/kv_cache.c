/* The KV cache. */
#include "kv_cache.h"

const char *const kv_type_names[KV_TYPES] = {[KV_F32] = "f32", [KV_F16] = "f16", [KV_Q8] = "q8"};

enum kv_type kv_type_for(const struct model *model) {
    return model->has_blocks ? KV_F16 : KV_F32;
}

static uint32_t smaller_of(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* So many positions are in at most so many blocks, wherever they begin. */
static uint32_t blocks_of(uint32_t positions) {
    return (positions + 2 * ATTENTION_BLOCK - 2) / ATTENTION_BLOCK;
}

void kv_cache_init(struct kv_cache *cache, const struct model_config *config, enum kv_type type,
                   uint32_t positions, uint32_t batch) {
    uint32_t head_size = model_head_size(config);
    uint32_t all = (positions + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK;
    /* The first position of a batch needs its window when the last one is already stored. */
    uint32_t local = smaller_of(config->window, positions) + batch - 1;
    *cache = (struct kv_cache){
        .config = config,
        .type = type,
        .blocks = {[LAYER_GLOBAL] = all, [LAYER_LOCAL] = smaller_of(all, blocks_of(local))},
        .key_bytes = attention_block_bytes(type, head_size, head_size),
        .value_bytes = attention_block_bytes(type, head_size, attention_value_stride(head_size)),
    };
}

static size_t layer_bytes(const struct kv_cache *cache, uint32_t layer) {
    size_t blocks = cache->blocks[model_layer_kind(cache->config, layer)];
    return cache->config->kv_heads * blocks * (cache->key_bytes + cache->value_bytes);
}

void kv_cache_take(struct kv_cache *cache, struct arena *arena) {
    enum { BEYOND = 8 * sizeof(float) }; /* attention.h */
    uint32_t layers = cache->config->layers;
    cache->layers = arena_take(arena, layers, sizeof *cache->layers);
    for (uint32_t layer = 0; layer < layers; layer++) {
        char *memory = arena_take(arena, 1, layer_bytes(cache, layer) + BEYOND);
        if (cache->layers)
            cache->layers[layer] = memory;
    }
}

size_t kv_cache_bytes(const struct kv_cache *cache) {
    size_t bytes = 0;
    for (uint32_t layer = 0; layer < cache->config->layers; layer++)
        bytes += layer_bytes(cache, layer);
    return bytes;
}

void kv_cache_find(const struct kv_cache *cache, uint32_t layer, uint32_t head,
                   struct attention *attention) {
    size_t blocks = cache->blocks[model_layer_kind(cache->config, layer)];
    const char *keys = cache->layers[layer];
    const char *values = keys + cache->config->kv_heads * blocks * cache->key_bytes;
    attention->type = cache->type;
    attention->blocks = (uint32_t)blocks;
    attention->keys = keys + head * blocks * cache->key_bytes;
    attention->values = values + head * blocks * cache->value_bytes;
}

/* ---- Conversion from float32 ---- */

/* As IEEE 754 binary16, rounded to nearest, halves to even. What is too large becomes the largest
 * number, 65504: the kernels know no infinity. */
static uint16_t half_of_float(float x) {
    uint32_t bits, rounded;
    memcpy(&bits, &x, sizeof bits);
    uint32_t magnitude = bits & 0x7FFFFFFF;
    if (magnitude >= 0x477FF000) { /* 65520 */
        rounded = 0x7BFF;
    } else if (magnitude >= 0x38800000) { /* 2^-14: the exponent's bias becomes 112 less */
        rounded = (magnitude + 0xFFF + (magnitude >> 13 & 1) - (112u << 23)) >> 13;
    } else { /* subnormal: next to 1/2, floats are as far apart */
        float half;
        memcpy(&half, &magnitude, sizeof half);
        half += 0.5f;
        memcpy(&rounded, &half, sizeof rounded);
        rounded -= 0x3F000000;
    }
    return (uint16_t)(rounded | (bits >> 16 & 0x8000));
}

static float magnitude_of(float x) {
    return x < 0.0f ? -x : x;
}

/* x * inverse as an integer from -127 to 127, rounded to nearest. */
static int8_t byte_of(float x, float inverse) {
    float quotient = x * inverse;
    if (!(quotient > -127.0f)) /* a NaN, too */
        return -127;
    if (quotient > 127.0f)
        return 127;
    return (int8_t)(quotient + (quotient < 0.0f ? -0.5f : 0.5f));
}

/* ---- Storing ---- */

/* How the numbers of one position lie in a block: number i at i * step, the scale of group g at g *
 * scale_step. */
struct place {
    size_t first, step;
    size_t first_scale, scale_step;
};

/* A group of up to ATTENTION_GROUP numbers with one scale. */
static void store_group(int8_t *to, size_t step, float *scale, const float *from, uint32_t count) {
    float largest = 0.0f;
    for (uint32_t i = 0; i < count; i++)
        if (magnitude_of(from[i]) > largest)
            largest = magnitude_of(from[i]);
    *scale = largest / 127.0f;
    float inverse = largest > 0.0f ? 127.0f / largest : 0.0f;
    for (uint32_t i = 0; i < count; i++)
        to[i * step] = byte_of(from[i], inverse);
}

static void store_bytes(char *block, struct place place, size_t scales, const float *from,
                        uint32_t head_size) {
    int8_t *to = (int8_t *)block + place.first;
    float *scale = (float *)(block + scales) + place.first_scale;
    for (uint32_t i = 0; i < head_size; i += ATTENTION_GROUP, scale += place.scale_step)
        store_group(to + i * place.step, place.step, scale, from + i,
                    smaller_of(head_size - i, ATTENTION_GROUP));
}

/* Stores head_size numbers of a position. With KV_Q8, the scales are behind so many bytes. */
static void store(enum kv_type type, char *block, struct place place, size_t scales,
                  const float *from, uint32_t head_size) {
    switch (type) {
    case KV_F32:
        for (uint32_t i = 0; i < head_size; i++)
            ((float *)block)[place.first + i * place.step] = from[i];
        return;
    case KV_F16:
        for (uint32_t i = 0; i < head_size; i++)
            ((uint16_t *)block)[place.first + i * place.step] = half_of_float(from[i]);
        return;
    case KV_Q8:
    case KV_TYPES:
        store_bytes(block, place, scales, from, head_size);
    }
}

/* The sequence ends with position: of the local layers, a block that is begun takes the place of
 * the oldest one. */
static void note_position(struct kv_cache *cache, uint32_t position) {
    uint32_t block = position / ATTENTION_BLOCK, kept = cache->blocks[LAYER_LOCAL];
    uint32_t oldest = block >= kept ? (block + 1 - kept) * ATTENTION_BLOCK : 0;
    cache->positions = position + 1;
    if (position == 0 || oldest > cache->oldest)
        cache->oldest = oldest;
}

void kv_cache_store(struct kv_cache *cache, uint32_t layer, uint32_t position, const float *keys,
                    const float *values) {
    const struct model_config *c = cache->config;
    uint32_t head_size = model_head_size(c), stride = attention_value_stride(head_size);
    uint32_t in_block = position % ATTENTION_BLOCK, groups = attention_groups(head_size);
    struct place in_keys = {in_block, ATTENTION_BLOCK, in_block, ATTENTION_BLOCK};
    struct place in_values = {in_block * stride, 1, in_block * groups, 1};
    note_position(cache, position);
    for (uint32_t head = 0; head < c->kv_heads; head++, keys += head_size, values += head_size) {
        struct attention at;
        kv_cache_find(cache, layer, head, &at);
        size_t block = position / ATTENTION_BLOCK % at.blocks;
        store(cache->type, (char *)at.keys + block * cache->key_bytes, in_keys,
              head_size * ATTENTION_BLOCK, keys, head_size);
        store(cache->type, (char *)at.values + block * cache->value_bytes, in_values,
              stride * ATTENTION_BLOCK, values, head_size);
    }
}

bool kv_cache_has(const struct kv_cache *cache, uint32_t count) {
    uint32_t window = cache->config->window;
    uint32_t needed = window && count >= window ? count + 1 - window : 0;
    return count <= cache->positions && (!window || count == 0 || needed >= cache->oldest);
}
