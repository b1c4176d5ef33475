/*
 * The forward pass, for each position:
 *
 *   x = embedding[token]                  [* embedding_scale]
 *   for each layer:
 *       q, k, v = Wqkv RMSNorm(x)         [+ bias]
 *       [q, k = RMSNorm(q), RMSNorm(k)    of each head]
 *       q, k = RoPE(q), RoPE(k)           k and v are stored to the KV cache
 *       x = x + Wo attention(q, K, V)     [RMSNorm of what is added]
 *       gate, up = W1 RMSNorm(x), W3 RMSNorm(x)
 *       x = x + W2 (silu(gate) * up)      SwiGLU, or GeGLU [RMSNorm of what is added]
 *   logits = Wclassifier RMSNorm(x)       [capped]
 *
 * What is in brackets, a model has if model_config says so.
 */
#include "inference.h"
#include "profiling.h"
#include "tinyllama/kernels/block_product.h"
#include "tinyllama/kernels/elementwise.h"
#include <math.h>
#include <string.h>

#define NORM_EPSILON 1e-5f

/* y = W x for a matrix with a type of GGUF. *group: the columns of a group that in->rounded has x
 * in; 0: none yet. */
static void multiply_typed(struct inference *in, float *y, uint32_t y_stride,
                           const struct matrix *w, const float *x, uint32_t x_stride,
                           uint32_t count, uint32_t *group) {
    if (w->type->columns == 1) {
        multiply_halves(in->kernels, y, y_stride, w, x, x_stride, count);
        return;
    }
    uint32_t own = rounded_group(w->type->columns);
    if (*group != own)
        round_positions(in->kernels, &in->rounded, x, x_stride, count, w->columns, own);
    *group = own;
    multiply_blocks(in->kernels, y, y_stride, w, &in->rounded, count);
}

void inference_multiply(struct inference *in, float *y, const struct matrix *w, const float *x,
                        uint32_t x_stride, uint32_t count) {
    if (w->type) {
        multiply_typed(in, y, w->rows, w, x, x_stride, count, &(uint32_t){0});
        return;
    }
    if (w->group == 0) {
        in->kernels->matmul_f32(y, w->data, w->rows, w->columns, x, x_stride, count);
        return;
    }
    uint32_t groups = w->columns / w->group, chunks = matrix_group_chunks(w->group);
    for (uint32_t i = 0; i < count; i++) {
        struct quantized position = quantized_at(&in->quantized, i, groups, chunks);
        in->kernels->quantize(&position, x + (size_t)i * x_stride, w->columns, w->group);
    }
    in->kernels->matmul_q8(y, w->data, w->rows, w->columns, w->group, &in->quantized, count);
}

/* y = W x for W's parts, one below the other, which are not one matrix because their types
 * differ. */
static void multiply_parts(struct inference *in, float *y, const struct matrix *const *parts,
                           uint32_t y_stride, const float *x, uint32_t x_stride, uint32_t count) {
    uint32_t group = 0;
    for (; *parts; y += (*parts)->rows, parts++) {
        if ((*parts)->type)
            multiply_typed(in, y, y_stride, *parts, x, x_stride, count, &group);
        else
            for (uint32_t i = 0; i < count; i++)
                inference_multiply(in, y + (size_t)i * y_stride, *parts, x + (size_t)i * x_stride,
                                   x_stride, 1);
    }
}

static void multiply_qkv(struct inference *in, const struct layer *layer, uint32_t count) {
    const struct model_config *c = &in->model->config;
    uint32_t dim = matrix_padded(c->dim), rows = model_qkv_rows(c);
    const struct matrix *const parts[] = {&layer->qkv, &layer->key, &layer->value, NULL};
    if (layer->key.rows == 0)
        inference_multiply(in, in->qkv, &layer->qkv, in->normed, dim, count);
    else
        multiply_parts(in, in->qkv, parts, rows, in->normed, dim, count);
    for (uint32_t i = 0; layer->qkv_bias && i < count; i++)
        in->kernels->add(in->qkv + (size_t)i * rows, layer->qkv_bias, rows);
}

static void multiply_gate_up(struct inference *in, const struct layer *layer, uint32_t count) {
    const struct model_config *c = &in->model->config;
    uint32_t dim = matrix_padded(c->dim), rows = 2 * matrix_padded(c->hidden_dim);
    const struct matrix *const parts[] = {&layer->gate_up, &layer->up, NULL};
    if (layer->up.rows == 0)
        inference_multiply(in, in->gate_up, &layer->gate_up, in->normed, dim, count);
    else
        multiply_parts(in, in->gate_up, parts, rows, in->normed, dim, count);
}

/* RMSNorm of a model's vectors. */
static void normalise(const struct inference *in, float *out, const float *x, const float *weight,
                      uint32_t size) {
    float epsilon = in->model->config.norm_epsilon;
    in->kernels->rms_norm(out, x, weight, size, epsilon > 0.0f ? epsilon : NORM_EPSILON);
}

static void normalise_all(const struct inference *in, float *out, const float *x,
                          const float *weight, uint32_t count) {
    uint32_t size = in->model->config.dim, dim = matrix_padded(size);
    for (uint32_t i = 0; i < count; i++)
        normalise(in, out + (size_t)i * dim, x + (size_t)i * dim, weight, size);
}

/* RMSNorm of each of so many heads. */
static void normalise_heads(const struct inference *in, float *x, const float *weight,
                            uint32_t heads) {
    uint32_t size = model_head_size(&in->model->config);
    for (uint32_t i = 0; i < heads; i++, x += size) {
        memset(in->head + size, 0, (matrix_padded(size) - size) * sizeof *x);
        memcpy(in->head, x, size * sizeof *x);
        normalise(in, in->head, in->head, weight, size);
        memcpy(x, in->head, size * sizeof *x);
    }
}

/* x = x + the branch's output for count positions. */
static void add_branch(struct inference *in, const float *post_norm, uint32_t count) {
    if (post_norm)
        normalise_all(in, in->branch, in->branch, post_norm, count);
    in->kernels->add(in->x, in->branch, count * matrix_padded(in->model->config.dim));
}

/* RoPE at position, the index-th of its batch, for one kind of layers: pair i of every head
 * turns by position times its frequency. The rotation of queries also scales by log2(e) /
 * sqrt(head_size): attention's softmax then takes powers of 2. */
static void prepare_rotation(struct inference *in, enum layer_kind kind, uint32_t index,
                             uint32_t position) {
    const struct model_config *c = &in->model->config;
    uint32_t head_size = model_head_size(c);
    float *cosines = in->cosines[kind] + (size_t)index * model_value_row(c),
          *sines = in->sines[kind] + (size_t)index * model_value_row(c);
    float *keys_cosines = cosines + model_key_row(c), *keys_sines = sines + model_key_row(c);
    float query_scale = LOG2_E / sqrtf((float)head_size);
    for (uint32_t i = 0; i < head_size; i += 2) {
        float angle = (float)position * in->frequencies[kind][i / 2];
        float cosine = cosf(angle), sine = sinf(angle);
        for (uint32_t j = i; j < model_kv_dim(c); j += head_size) {
            keys_cosines[j] = keys_cosines[j + 1] = cosine;
            keys_sines[j] = -sine;
            keys_sines[j + 1] = sine;
        }
        cosine *= query_scale;
        sine *= query_scale;
        for (uint32_t j = i; j < model_query_dim(c); j += head_size) {
            cosines[j] = cosines[j + 1] = cosine;
            sines[j] = -sine;
            sines[j + 1] = sine;
        }
    }
}

/* Prepares queries and keys of the index-th token of a batch, at position, and stores keys and
 * values to the KV cache. */
static void rotate_and_store(struct inference *in, uint32_t layer, uint32_t index,
                             uint32_t position) {
    const struct model_config *c = &in->model->config;
    const struct layer *weights = &in->model->layer[layer];
    enum layer_kind kind = model_layer_kind(c, layer);
    size_t rotation = (size_t)index * model_value_row(c);
    float *qkv = in->qkv + (size_t)index * model_qkv_rows(c);
    if (weights->query_norm) {
        normalise_heads(in, qkv, weights->query_norm, c->heads);
        normalise_heads(in, qkv + model_key_row(c), weights->key_norm, c->kv_heads);
    }
    in->kernels->rotate(qkv, in->cosines[kind] + rotation, in->sines[kind] + rotation,
                        model_value_row(c));
    kv_cache_store(&in->cache, layer, position, qkv + model_key_row(c), qkv + model_value_row(c));
}

/* The queries of one head of keys and values, those of each position of the batch one behind the
 * other. */
static const float *gather_queries(struct inference *in, uint32_t head, uint32_t count) {
    const struct model_config *c = &in->model->config;
    uint32_t size = c->heads / c->kv_heads * model_head_size(c);
    const float *from = in->qkv + (size_t)head * size;
    if (count == 1)
        return from;
    for (uint32_t i = 0; i < count; i++, from += model_qkv_rows(c))
        memcpy(in->query + (size_t)i * size, from, size * sizeof(float));
    return in->query;
}

/* Grouped-query attention of a batch: heads / kv_heads query heads share one head of keys and
 * values. */
static void attend_batch(struct inference *in, uint32_t layer, uint32_t count, uint32_t position) {
    const struct model_config *c = &in->model->config;
    uint32_t head_size = model_head_size(c), queries = c->heads / c->kv_heads;
    struct attention attention = in->attention;
    attention.first = position;
    attention.count = count;
    attention.window = model_layer_kind(c, layer) == LAYER_LOCAL ? c->window : 0;
    attention.out_stride = matrix_padded(model_query_dim(c));
    for (uint32_t head = 0; head < c->kv_heads; head++) {
        kv_cache_find(&in->cache, layer, head, &attention);
        attention.query = gather_queries(in, head, count);
        attention.out = in->attended + (size_t)head * queries * head_size;
        attend(&attention, in->kernels, head_size, queries);
    }
}

static void embed(const struct inference *in, uint32_t token, float *x) {
    const struct matrix *embedding = &in->model->embedding;
    (embedding->type ? block_row : matrix_row)(embedding, token, x);
}

/* The embeddings and rotations of a batch. */
static void begin_batch(struct inference *in, const uint32_t *tokens, uint32_t count,
                        uint32_t position) {
    const struct model_config *c = &in->model->config;
    size_t dim = matrix_padded(c->dim);
    for (uint32_t i = 0; i < count; i++) {
        embed(in, tokens[i], in->x + i * dim);
        for (uint32_t j = 0; c->embedding_scale > 0.0f && j < c->dim; j++)
            in->x[i * dim + j] *= c->embedding_scale;
        for (uint32_t kind = 0; kind < in->kinds; kind++)
            prepare_rotation(in, (enum layer_kind)kind, i, position + i);
    }
}

void inference_forward(struct inference *in, const uint32_t *tokens, uint32_t count,
                       uint32_t position) {
    const struct model *model = in->model;
    const struct model_config *c = &model->config;
    size_t hidden = matrix_padded(c->hidden_dim);

    profile_token();
    profile_start();
    begin_batch(in, tokens, count, position);
    profile_part(PART_EMBEDDING);
    for (uint32_t l = 0; l < c->layers; l++) {
        const struct layer *layer = &model->layer[l];
        normalise_all(in, in->normed, in->x, layer->attention_norm, count);
        profile_part(PART_NORM);
        multiply_qkv(in, layer, count);
        profile_part(PART_QKV);
        for (uint32_t i = 0; i < count; i++)
            rotate_and_store(in, l, i, position + i);
        profile_part(PART_ROTATION);
        attend_batch(in, l, count, position);
        profile_part(PART_ATTENTION);
        inference_multiply(in, in->branch, &layer->attention_out, in->attended,
                           matrix_padded(model_query_dim(c)), count);
        add_branch(in, layer->attention_post_norm, count);
        profile_part(PART_ATTENTION_OUT);

        normalise_all(in, in->normed, in->x, layer->ffn_norm, count);
        profile_part(PART_NORM);
        multiply_gate_up(in, layer, count);
        profile_part(PART_GATE_UP);
        for (uint32_t i = 0; i < count; i++) {
            float *gate = in->gate_up + i * 2 * hidden;
            (c->gelu ? in->kernels->geglu : in->kernels->swiglu)(gate, gate + hidden,
                                                                 (uint32_t)hidden);
        }
        profile_part(PART_SWIGLU);
        inference_multiply(in, in->branch, &layer->down, in->gate_up, 2 * (uint32_t)hidden, count);
        add_branch(in, layer->ffn_post_norm, count);
        profile_part(PART_DOWN);
    }
}

void inference_classify(struct inference *in, uint32_t index) {
    const struct model *model = in->model;
    const struct model_config *c = &model->config;
    size_t dim = matrix_padded(c->dim);

    profile_start();
    normalise(in, in->normed, in->x + index * dim, model->final_norm, c->dim);
    inference_multiply(in, in->logits, &model->classifier, in->normed, (uint32_t)dim, 1);
    if (c->logit_cap > 0.0f)
        cap(in->logits, c->vocabulary, c->logit_cap);
    profile_part(PART_CLASSIFIER);
}
