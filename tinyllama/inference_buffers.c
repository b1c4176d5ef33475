/* The working memory of the forward pass (inference.c): how much there is, and the frequencies of
 * RoPE. */
#include "arena.h"
#include "inference.h"
#include "natural.h"
#include "tinyllama/kernels/block_product.h"
#include <stdlib.h>

#define LN_ROPE_BASE 9.210340371976182736 /* ln 10000 */

static uint32_t larger_of(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

static struct chunks take_chunks(struct arena *arena, size_t count) {
    return (struct chunks){
        .all = arena_take(arena, count, sizeof(int32_t)),
        .even = arena_take(arena, count, sizeof(int32_t)),
        .odd = arena_take(arena, count, sizeof(int32_t)),
    };
}

static void take_rounded(struct arena *arena, struct inference *in, uint32_t widest) {
    size_t parts = in->batch * (matrix_padded(widest) / WEIGHT_PART);
    size_t chunks = parts * (WEIGHT_PART / MATRIX_CHUNK);
    in->rounded = (struct rounded){
        .scales = arena_take(arena, parts, sizeof(float)),
        .chunks = take_chunks(arena, chunks),
        .pairs = arena_take(arena, parts, sizeof(int32_t)),
        .sums = arena_take(arena, parts, sizeof(int16_t)),
    };
}

static void take_attention(struct arena *arena, struct inference *in) {
    const struct model_config *c = &in->model->config;
    uint32_t head_size = model_head_size(c), stride = attention_value_stride(head_size);
    size_t rows = (size_t)in->batch * (c->heads / c->kv_heads);
    size_t run = (size_t)ATTENTION_RUN * ATTENTION_BLOCK * stride + 8;
    in->query = arena_take(arena, rows, head_size * sizeof(float));
    in->attention.scores = arena_take(arena, rows, in->positions * sizeof(float));
    in->attention.weights = arena_take(arena, rows, sizeof(float));
    in->attention.sums = arena_take(arena, rows, attention_row_sums(head_size) * sizeof(float));
    in->attention.unpacked = arena_take(arena, in->cache.type == KV_F32 ? 0 : run, sizeof(float));
}

static void take_buffers(struct arena *arena, struct inference *in) {
    const struct model_config *c = &in->model->config;
    uint32_t dim = matrix_padded(c->dim), hidden = matrix_padded(c->hidden_dim);
    uint32_t query = model_query_dim(c), head_size = model_head_size(c);
    uint32_t widest = larger_of(larger_of(c->dim, c->hidden_dim), query);
    size_t batch = in->batch;
    for (uint32_t kind = 0; kind < in->kinds; kind++) {
        in->frequencies[kind] = arena_take(arena, head_size / 2, sizeof(float));
        in->cosines[kind] = arena_take(arena, batch * model_value_row(c), sizeof(float));
        in->sines[kind] = arena_take(arena, batch * model_value_row(c), sizeof(float));
    }
    in->x = arena_take(arena, batch * dim, sizeof(float));
    in->normed = arena_take(arena, batch * dim, sizeof(float));
    in->qkv = arena_take(arena, batch * model_qkv_rows(c), sizeof(float));
    in->attended = arena_take(arena, batch * matrix_padded(query), sizeof(float));
    in->branch = arena_take(arena, batch * dim, sizeof(float));
    in->gate_up = arena_take(arena, batch * 2 * hidden, sizeof(float));
    in->head = arena_take(arena, matrix_padded(head_size), sizeof(float));
    in->logits = arena_take(arena, matrix_padded(c->vocabulary), sizeof(float));
    if (in->model->has_blocks)
        take_rounded(arena, in, widest);
    if (c->group) {
        size_t groups = batch * (widest / c->group);
        in->quantized.scales = arena_take(arena, groups, sizeof(float));
        in->quantized.start = arena_take(arena, groups, sizeof(int32_t));
        in->quantized.chunks =
            take_chunks(arena, groups * matrix_group_chunks(c->group) + QUANTIZED_ROOM);
    }
    take_attention(arena, in);
    kv_cache_take(&in->cache, arena);
}

/* The angles that a pair of a head turns by per position. What does not turn has angle 0. */
static void set_frequencies(const struct inference *in, enum layer_kind kind) {
    const struct model_config *c = &in->model->config;
    const float *factors = kind == LAYER_GLOBAL ? in->model->rope_factors : NULL;
    struct rope rope = c->rope[kind];
    uint32_t dims = c->rope_dims ? c->rope_dims : model_head_size(c);
    double ln_base = rope.ln_base > 0.0 ? rope.ln_base : LN_ROPE_BASE;
    double ratio = exponential(-2.0 * ln_base / dims);
    double frequency = rope.scale > 0.0 ? rope.scale : 1.0;
    for (uint32_t i = 0; i < dims / 2; i++, frequency *= ratio)
        in->frequencies[kind][i] = (float)(factors ? frequency / factors[i] : frequency);
}

/* Lays out the buffers for the largest batch that leaves half of the memory free: it only makes
 * prompts faster. */
static struct arena count_buffers(struct inference *in, uint32_t positions, enum kv_type kv) {
    struct memory_usage usage = memory_usage();
    struct arena arena = {.used = SIZE_MAX};
    in->batch = 2 * INFERENCE_BATCH;
    while (arena.used > (usage.total - usage.used) / 2 && in->batch > INFERENCE_LEAST_BATCH) {
        in->batch /= 2;
        if (in->batch > positions)
            in->batch = positions;
        kv_cache_init(&in->cache, &in->model->config, kv, positions, in->batch);
        arena = (struct arena){0};
        take_buffers(&arena, in);
    }
    return arena;
}

bool inference_init(struct inference *in, const struct model *model, const struct kernels *kernels,
                    uint32_t positions, enum kv_type kv, struct error *error) {
    *in = (struct inference){
        .model = model,
        .kernels = kernels,
        .positions = (positions + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK * ATTENTION_BLOCK,
        .kinds = model->config.window ? LAYER_KINDS : 1,
    };
    struct arena arena = count_buffers(in, positions, kv);
    if (!arena_allocate(&arena, "the model's working memory", error))
        return false;
    in->memory = arena.memory;
    take_buffers(&arena, in);
    for (uint32_t kind = 0; kind < in->kinds; kind++)
        set_frequencies(in, (enum layer_kind)kind);
    return true;
}

void inference_free(struct inference *in) {
    free(in->memory);
    *in = (struct inference){0};
}
