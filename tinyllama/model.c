/* The memory of a model. */
#include "model.h"
#include "arena.h"
#include "tinyllama/kernels/weight_types.h"

/* What is laid out: with the types of a GGUF file, or without, by config.group. */
struct layout {
    struct arena arena;
    struct model *model;
    const struct model_types *types; /* or NULL */
};

static void take_matrix(struct layout *l, struct matrix *matrix, uint32_t rows, uint32_t columns,
                        const struct weight_type *type) {
    *matrix = (struct matrix){.rows = rows,
                              .columns = columns,
                              .group = l->model->config.group,
                              .type = weight_is_float32(type) ? NULL : type};
    l->model->has_blocks |= matrix->type && type->columns > 1;
    matrix->data = arena_take(&l->arena, 1, matrix_bytes(matrix));
}

static float *take_floats(struct layout *l, uint32_t count) {
    return arena_take(&l->arena, matrix_padded(count), sizeof(float));
}

/* Whether matrices of these types can be one: those of float32. */
static bool joined(const struct weight_type *a, const struct weight_type *b,
                   const struct weight_type *c) {
    return weight_is_float32(a) && weight_is_float32(b) && weight_is_float32(c);
}

static void take_qkv(struct layout *l, struct layer *layer, const struct layer_types *types) {
    const struct model_config *c = &l->model->config;
    uint32_t query = matrix_padded(model_query_dim(c)), key = matrix_padded(model_kv_dim(c));
    layer->key = layer->value = (struct matrix){0};
    if (joined(types->query, types->key, types->value)) {
        take_matrix(l, &layer->qkv, query + 2 * key, c->dim, NULL);
        return;
    }
    take_matrix(l, &layer->qkv, query, c->dim, types->query);
    take_matrix(l, &layer->key, key, c->dim, types->key);
    take_matrix(l, &layer->value, key, c->dim, types->value);
}

static void take_gate_up(struct layout *l, struct layer *layer, const struct layer_types *types) {
    const struct model_config *c = &l->model->config;
    uint32_t hidden = matrix_padded(c->hidden_dim);
    layer->up = (struct matrix){0};
    if (joined(types->gate, types->up, NULL)) {
        take_matrix(l, &layer->gate_up, 2 * hidden, c->dim, NULL);
        return;
    }
    take_matrix(l, &layer->gate_up, hidden, c->dim, types->gate);
    take_matrix(l, &layer->up, hidden, c->dim, types->up);
}

static void take_layer(struct layout *l, struct layer *layer, const struct layer_types *types) {
    const struct model_config *c = &l->model->config;
    uint32_t dim = matrix_padded(c->dim), head = model_head_size(c);
    layer->attention_norm = take_floats(l, dim);
    take_qkv(l, layer, types);
    layer->qkv_bias = c->qkv_bias ? take_floats(l, model_qkv_rows(c)) : NULL;
    layer->query_norm = c->qk_norm ? take_floats(l, head) : NULL;
    layer->key_norm = c->qk_norm ? take_floats(l, head) : NULL;
    take_matrix(l, &layer->attention_out, dim, model_query_dim(c), types->attention_out);
    layer->attention_post_norm = c->post_norms ? take_floats(l, dim) : NULL;
    layer->ffn_norm = take_floats(l, dim);
    take_gate_up(l, layer, types);
    take_matrix(l, &layer->down, dim, c->hidden_dim, types->down);
    layer->ffn_post_norm = c->post_norms ? take_floats(l, dim) : NULL;
}

/* In the order in which the forward pass reads them. */
static void take_model(struct layout *l) {
    static const struct layer_types no_types;
    struct model *model = l->model;
    const struct model_types *types = l->types;
    const struct model_config *c = &model->config;
    uint32_t vocabulary = matrix_padded(c->vocabulary);
    struct layer counted;
    model->layer = arena_take(&l->arena, c->layers, sizeof *model->layer);
    take_matrix(l, &model->embedding, vocabulary, c->dim, types ? types->embedding : NULL);
    for (uint32_t i = 0; i < c->layers; i++)
        take_layer(l, model->layer ? model->layer + i : &counted,
                   types ? types->layer + i : &no_types);
    model->final_norm = take_floats(l, c->dim);
    model->rope_factors = types && types->rope_factors ? take_floats(l, model_head_size(c)) : NULL;
    if (c->shared_classifier)
        model->classifier = model->embedding;
    else
        take_matrix(l, &model->classifier, vocabulary, c->dim, types ? types->classifier : NULL);
    arena_take(&l->arena, 1, MATRIX_BEYOND);
}

bool model_allocate_types(struct model *model, const struct model_types *types,
                          struct error *error) {
    struct layout layout = {.model = model, .types = types};
    take_model(&layout);
    if (!arena_allocate(&layout.arena, "the model", error))
        return false;
    model->memory = layout.arena.memory;
    take_model(&layout);
    return true;
}

bool model_allocate(struct model *model, struct error *error) {
    return model_allocate_types(model, NULL, error);
}

void model_free(struct model *model) {
    free(model->memory);
    *model = (struct model){0};
}
