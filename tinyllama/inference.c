/*
 * The forward pass of a Llama, for each position:
 *
 *   x = embedding[token]
 *   for each layer:
 *       q, k, v = Wqkv RMSNorm(x)
 *       q, k = RoPE(q), RoPE(k)           k and v are stored to the KV cache
 *       x = x + Wo attention(q, K, V)
 *       gate, up = W1 RMSNorm(x), W3 RMSNorm(x)
 *       x = x + W2 (silu(gate) * up)      SwiGLU
 *   logits = Wclassifier RMSNorm(x)
 */
#include "inference.h"
#include "arena.h"
#include "profiling.h"
#include "tinyllama/kernels/elementwise.h"
#include <math.h>

#define LN_ROPE_BASE 9.210340371976182736 /* ln 10000 */

static uint32_t larger_of(uint32_t a, uint32_t b) {
    return a > b ? a : b;
}

static void take_buffers(struct arena *arena, struct inference *in) {
    const struct model_config *c = &in->model->config;
    uint32_t dim = matrix_padded(c->dim), hidden = matrix_padded(c->hidden_dim);
    uint32_t qkv = model_value_row(c) + matrix_padded(model_kv_dim(c));
    uint32_t head_size = model_head_size(c), widest = larger_of(c->dim, c->hidden_dim);
    size_t batch = in->batch;
    in->frequencies = arena_take(arena, head_size / 2, sizeof(float));
    in->cosines = arena_take(arena, batch * model_value_row(c), sizeof(float));
    in->sines = arena_take(arena, batch * model_value_row(c), sizeof(float));
    in->x = arena_take(arena, batch * dim, sizeof(float));
    in->normed = arena_take(arena, batch * dim, sizeof(float));
    in->qkv = arena_take(arena, batch * qkv, sizeof(float));
    in->attended = arena_take(arena, batch * dim, sizeof(float));
    in->branch = arena_take(arena, batch * dim, sizeof(float));
    in->gate_up = arena_take(arena, batch * 2 * hidden, sizeof(float));
    in->scores = arena_take(arena, in->positions, sizeof(float));
    in->logits = arena_take(arena, matrix_padded(c->vocabulary), sizeof(float));
    if (c->group) {
        size_t groups = batch * (widest / c->group);
        in->quantized.scales = arena_take(arena, groups, sizeof(float));
        in->quantized.start = arena_take(arena, groups, sizeof(int32_t));
        in->quantized.chunks =
            arena_take(arena, groups * matrix_group_chunks(c->group), sizeof(struct chunk));
    }
    size_t heads = (size_t)c->layers * c->kv_heads;
    in->keys = arena_take(arena, heads * in->positions, head_size * sizeof(float));
    in->values = arena_take(arena, heads * in->positions, in->value_stride * sizeof(float));
}

/* e^x for x from -10 to 0, with an error of some 1e-13: Taylor's series for x / 1024, squared ten
 * times. powf would need tables of 6 KB. */
static double exponential(double x) {
    double small = x / 1024, term = 1.0, sum = 1.0;
    for (int i = 1; i <= 8; i++)
        sum += term *= small / i;
    for (int i = 0; i < 10; i++)
        sum *= sum;
    return sum;
}

bool inference_init(struct inference *in, const struct model *model, const struct kernels *kernels,
                    uint32_t positions, struct error *error) {
    uint32_t head_size = model_head_size(&model->config);
    *in = (struct inference){
        .model = model,
        .kernels = kernels,
        .positions = (positions + ATTENTION_BLOCK - 1) / ATTENTION_BLOCK * ATTENTION_BLOCK,
        .batch = positions < INFERENCE_BATCH ? positions : INFERENCE_BATCH,
        .value_stride = attention_value_stride(head_size),
    };
    struct arena arena = {0};
    take_buffers(&arena, in);
    if (!arena_allocate(&arena, "the model's working memory", error))
        return false;
    in->memory = arena.memory;
    take_buffers(&arena, in);
    double ratio = exponential(-2.0 * LN_ROPE_BASE / head_size), frequency = 1.0;
    for (uint32_t i = 0; i < head_size / 2; i++, frequency *= ratio)
        in->frequencies[i] = (float)frequency;
    return true;
}

void inference_free(struct inference *in) {
    free(in->memory);
    *in = (struct inference){0};
}

void inference_multiply(struct inference *in, float *y, const struct matrix *w, const float *x,
                        uint32_t x_stride, uint32_t count) {
    if (w->group == 0) {
        in->kernels->matmul_f32(y, w->data, w->rows, w->columns, x, x_stride, count);
        return;
    }
    uint32_t groups = w->columns / w->group, chunks = matrix_group_chunks(w->group);
    for (uint32_t i = 0; i < count; i++) {
        struct quantized position = quantized_at(&in->quantized, i, groups, chunks);
        quantize(&position, x + (size_t)i * x_stride, w->columns, w->group);
    }
    in->kernels->matmul_q8(y, w->data, w->rows, w->columns, w->group, &in->quantized, count);
}

/* RoPE (Su et al., 2021) at position, the index-th of its batch: pair i of every head turns by the
 * angle position * 10000^(-2 i / head_size). The rotation of queries also scales by
 * log2(e) / sqrt(head_size): attention's softmax then takes powers of 2. */
static void prepare_rotation(struct inference *in, uint32_t index, uint32_t position) {
    const struct model_config *c = &in->model->config;
    uint32_t head_size = model_head_size(c);
    float *cosines = in->cosines + (size_t)index * model_value_row(c),
          *sines = in->sines + (size_t)index * model_value_row(c);
    float *keys_cosines = cosines + model_key_row(c), *keys_sines = sines + model_key_row(c);
    float query_scale = LOG2_E / sqrtf((float)head_size);
    for (uint32_t i = 0; i < head_size; i += 2) {
        float angle = (float)position * in->frequencies[i / 2];
        float cosine = cosf(angle), sine = sinf(angle);
        for (uint32_t j = i; j < model_kv_dim(c); j += head_size) {
            keys_cosines[j] = keys_cosines[j + 1] = cosine;
            keys_sines[j] = -sine;
            keys_sines[j + 1] = sine;
        }
        cosine *= query_scale;
        sine *= query_scale;
        for (uint32_t j = i; j < c->dim; j += head_size) {
            cosines[j] = cosines[j + 1] = cosine;
            sines[j] = -sine;
            sines[j + 1] = sine;
        }
    }
}

static float *head_keys(const struct inference *in, uint32_t layer, uint32_t head) {
    const struct model_config *c = &in->model->config;
    size_t index = (size_t)layer * c->kv_heads + head;
    return in->keys + index * in->positions * model_head_size(c);
}

static float *head_values(const struct inference *in, uint32_t layer, uint32_t head) {
    size_t index = (size_t)layer * in->model->config.kv_heads + head;
    return in->values + index * in->positions * in->value_stride;
}

/* Stores the position's keys and values to the KV cache. */
static void store_kv(struct inference *in, const float *qkv, uint32_t layer, uint32_t position) {
    const struct model_config *c = &in->model->config;
    uint32_t head_size = model_head_size(c);
    const float *key = qkv + model_key_row(c), *value = qkv + model_value_row(c);
    for (uint32_t head = 0; head < c->kv_heads; head++, key += head_size, value += head_size) {
        float *keys = head_keys(in, layer, head) +
                      position / ATTENTION_BLOCK * ATTENTION_BLOCK * head_size +
                      position % ATTENTION_BLOCK;
        for (uint32_t i = 0; i < head_size; i++)
            keys[i * ATTENTION_BLOCK] = key[i];
        memcpy(head_values(in, layer, head) + (size_t)position * in->value_stride, value,
               head_size * sizeof(float));
    }
}

/* Grouped-query attention: heads / kv_heads query heads share one head of keys and values. */
static void attend(struct inference *in, float *out, const float *qkv, uint32_t layer,
                   uint32_t position) {
    const struct model_config *c = &in->model->config;
    uint32_t head_size = model_head_size(c), queries = c->heads / c->kv_heads;
    for (uint32_t head = 0; head < c->kv_heads; head++)
        in->kernels->attend(
            &(struct attention){
                .positions = position + 1,
                .query = qkv + head * queries * head_size,
                .keys = head_keys(in, layer, head),
                .values = head_values(in, layer, head),
                .scores = in->scores,
                .out = out + head * queries * head_size,
            },
            head_size, queries);
}

void inference_forward(struct inference *in, const uint32_t *tokens, uint32_t count,
                       uint32_t position) {
    const struct model *model = in->model;
    const struct model_config *c = &model->config;
    size_t dim = matrix_padded(c->dim), hidden = matrix_padded(c->hidden_dim);

    profile_token();
    profile_start();
    for (uint32_t i = 0; i < count; i++) {
        matrix_row(&model->embedding, tokens[i], in->x + i * dim);
        prepare_rotation(in, i, position + i);
    }
    profile_part(PART_EMBEDDING);
    for (uint32_t l = 0; l < c->layers; l++) {
        const struct layer *layer = &model->layer[l];
        for (uint32_t i = 0; i < count; i++)
            in->kernels->rms_norm(in->normed + i * dim, in->x + i * dim, layer->attention_norm,
                                  c->dim);
        profile_part(PART_NORM);
        inference_multiply(in, in->qkv, &layer->qkv, in->normed, dim, count);
        profile_part(PART_QKV);
        for (uint32_t i = 0; i < count; i++) {
            size_t rotation = (size_t)i * model_value_row(c);
            float *qkv = in->qkv + (size_t)i * layer->qkv.rows;
            in->kernels->rotate(qkv, in->cosines + rotation, in->sines + rotation,
                                model_value_row(c));
            store_kv(in, qkv, l, position + i);
            profile_part(PART_ROTATION);
            attend(in, in->attended + i * dim, qkv, l, position + i);
            profile_part(PART_ATTENTION);
        }
        inference_multiply(in, in->branch, &layer->attention_out, in->attended, dim, count);
        in->kernels->add(in->x, in->branch, count * (uint32_t)dim);
        profile_part(PART_ATTENTION_OUT);

        for (uint32_t i = 0; i < count; i++)
            in->kernels->rms_norm(in->normed + i * dim, in->x + i * dim, layer->ffn_norm, c->dim);
        profile_part(PART_NORM);
        inference_multiply(in, in->gate_up, &layer->gate_up, in->normed, dim, count);
        profile_part(PART_GATE_UP);
        for (uint32_t i = 0; i < count; i++) {
            float *gate = in->gate_up + i * 2 * hidden;
            in->kernels->swiglu(gate, gate + hidden, (uint32_t)hidden);
        }
        profile_part(PART_SWIGLU);
        inference_multiply(in, in->branch, &layer->down, in->gate_up, 2 * hidden, count);
        in->kernels->add(in->x, in->branch, count * (uint32_t)dim);
        profile_part(PART_DOWN);
    }
}

void inference_classify(struct inference *in, uint32_t index) {
    const struct model *model = in->model;
    size_t dim = matrix_padded(model->config.dim);

    profile_start();
    in->kernels->rms_norm(in->normed, in->x + index * dim, model->final_norm, model->config.dim);
    inference_multiply(in, in->logits, &model->classifier, in->normed, dim, 1);
    profile_part(PART_CLASSIFIER);
}
