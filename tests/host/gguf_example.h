/* A small model as a GGUF file in memory, for the readers' tests. */
#pragma once
#include "gguf_image.h"

enum { F32 = 0, Q8_0 = 8 };
enum { DIM = 32, HIDDEN = 64, HEADS = 2, KV_HEADS = 1, HEAD_SIZE = 16, LAYERS = 2, VOCABULARY = 5 };

struct options {
    const char *architecture;
    uint32_t version, alignment; /* 0: 3, 32 */
    bool backwards;              /* the tensors, from the last place to the first */
    bool bias, norms;            /* what the architecture has */
    uint32_t key_type;           /* of the keys' matrix */
};

struct named {
    char name[64];
    uint32_t columns, rows, type;
};

static inline struct named named(const char *format, uint32_t layer, uint32_t columns,
                                 uint32_t rows) {
    struct named tensor = {.columns = columns, .rows = rows, .type = F32};
    snprintf(tensor.name, sizeof tensor.name, format, layer);
    return tensor;
}

static inline size_t list_tensors(struct named *list, const struct options *o) {
    size_t n = 0;
    list[n++] = named("token_embd.weight", 0, DIM, VOCABULARY);
    list[n++] = named("output_norm.weight", 0, DIM, 0);
    for (uint32_t i = 0; i < LAYERS; i++) {
        list[n++] = named("blk.%u.attn_norm.weight", i, DIM, 0);
        list[n++] = named("blk.%u.attn_q.weight", i, DIM, HEADS * HEAD_SIZE);
        list[n] = named("blk.%u.attn_k.weight", i, DIM, KV_HEADS * HEAD_SIZE);
        list[n++].type = o->key_type;
        list[n++] = named("blk.%u.attn_v.weight", i, DIM, KV_HEADS * HEAD_SIZE);
        if (o->bias) {
            list[n++] = named("blk.%u.attn_q.bias", i, HEADS * HEAD_SIZE, 0);
            list[n++] = named("blk.%u.attn_k.bias", i, KV_HEADS * HEAD_SIZE, 0);
            list[n++] = named("blk.%u.attn_v.bias", i, KV_HEADS * HEAD_SIZE, 0);
        }
        if (o->norms) {
            list[n++] = named("blk.%u.attn_q_norm.weight", i, HEAD_SIZE, 0);
            list[n++] = named("blk.%u.attn_k_norm.weight", i, HEAD_SIZE, 0);
        }
        list[n++] = named("blk.%u.attn_output.weight", i, HEADS * HEAD_SIZE, DIM);
        list[n++] = named("blk.%u.ffn_norm.weight", i, DIM, 0);
        list[n++] = named("blk.%u.ffn_gate.weight", i, DIM, HIDDEN);
        list[n++] = named("blk.%u.ffn_up.weight", i, DIM, HIDDEN);
        list[n++] = named("blk.%u.ffn_down.weight", i, HIDDEN, DIM);
    }
    return n;
}

/* Element i of the tensor with this number in the list. */
static inline float weight_of(size_t tensor, uint32_t i) {
    return (float)((tensor * 131 + i * 7) % 1000) - 300.0f;
}

static inline void put_weights(struct gguf_image *image, const struct named *t, size_t number) {
    uint32_t elements = t->columns * (t->rows ? t->rows : 1);
    for (uint32_t i = 0; i < elements; i++) {
        float weight = weight_of(number, i);
        if (t->type == F32) {
            put(image, &weight, sizeof weight);
            continue;
        }
        if (i % 32 == 0)
            put(image, &(uint16_t){0x3C00}, 2); /* 1.0 */
        put(image, &(int8_t){(int8_t)((int)weight % 100)}, 1);
    }
}

static inline uint64_t bytes_of(const struct named *t) {
    uint64_t elements = (uint64_t)t->columns * (t->rows ? t->rows : 1);
    return t->type == F32 ? elements * 4 : elements / 32 * 34;
}

static inline void put_config(struct gguf_image *image, const char *architecture) {
    static const struct {
        const char *name;
        uint32_t value;
    } numbers[] = {
        {"context_length", 77},          {"embedding_length", DIM},
        {"block_count", LAYERS},         {"feed_forward_length", HIDDEN},
        {"attention.head_count", HEADS}, {"attention.head_count_kv", KV_HEADS},
    };
    char key[64];
    put_text(image, "general.architecture", architecture);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        snprintf(key, sizeof key, "%s.%s", architecture, numbers[i].name);
        put_whole(image, key, numbers[i].value);
    }
}
enum { CONFIG_ENTRIES = 7 };

static inline struct gguf_image *make_image(const struct options *o) {
    static struct gguf_image image;
    struct named list[64];
    size_t count = list_tensors(list, o);
    uint32_t alignment = o->alignment ? o->alignment : 32;
    uint64_t offsets[64], offset = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = o->backwards ? count - 1 - i : i;
        offsets[at] = offset;
        offset += (bytes_of(&list[at]) + alignment - 1) / alignment * alignment;
    }
    put_header(&image, o->version ? o->version : 3, count, CONFIG_ENTRIES + (o->alignment != 0));
    put_config(&image, o->architecture);
    if (o->alignment)
        put_whole(&image, "general.alignment", alignment);
    for (size_t i = 0; i < count; i++)
        put_tensor(&image, list[i].name, list[i].columns, list[i].rows, list[i].type, offsets[i]);
    put_padding(&image, alignment);
    size_t begin = image.size;
    for (size_t i = 0; i < count; i++) {
        size_t at = o->backwards ? count - 1 - i : i;
        while (image.size < begin + offsets[at])
            put(&image, "", 1);
        put_weights(&image, &list[at], at);
    }
    return &image;
}
