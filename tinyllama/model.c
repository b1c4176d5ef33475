/* The memory of a model. */
#include "model.h"
#include "arena.h"

static void take_matrix(struct arena *arena, struct matrix *matrix, uint32_t rows, uint32_t columns,
                        uint32_t group) {
    *matrix = (struct matrix){.rows = rows, .columns = columns, .group = group};
    matrix->data = arena_take(arena, 1, matrix_bytes(matrix));
}

static void take_layer(struct arena *arena, struct layer *layer, const struct model_config *c) {
    uint32_t dim = matrix_padded(c->dim), hidden = matrix_padded(c->hidden_dim);
    layer->attention_norm = arena_take(arena, dim, sizeof(float));
    take_matrix(arena, &layer->qkv, model_value_row(c) + matrix_padded(model_kv_dim(c)), c->dim,
                c->group);
    take_matrix(arena, &layer->attention_out, dim, c->dim, c->group);
    layer->ffn_norm = arena_take(arena, dim, sizeof(float));
    take_matrix(arena, &layer->gate_up, 2 * hidden, c->dim, c->group);
    take_matrix(arena, &layer->down, dim, c->hidden_dim, c->group);
}

/* In the order in which the forward pass reads them. */
static void take_model(struct arena *arena, struct model *model) {
    const struct model_config *c = &model->config;
    uint32_t vocabulary = matrix_padded(c->vocabulary);
    struct layer counted;
    model->layer = arena_take(arena, c->layers, sizeof *model->layer);
    take_matrix(arena, &model->embedding, vocabulary, c->dim, c->group);
    for (uint32_t i = 0; i < c->layers; i++)
        take_layer(arena, model->layer ? model->layer + i : &counted, c);
    model->final_norm = arena_take(arena, matrix_padded(c->dim), sizeof(float));
    if (c->shared_classifier)
        model->classifier = model->embedding;
    else
        take_matrix(arena, &model->classifier, vocabulary, c->dim, c->group);
}

bool model_allocate(struct model *model, struct error *error) {
    struct arena arena = {0};
    take_model(&arena, model);
    if (!arena_allocate(&arena, "the model", error))
        return false;
    model->memory = arena.memory;
    take_model(&arena, model);
    return true;
}

void model_free(struct model *model) {
    free(model->memory);
    *model = (struct model){0};
}
