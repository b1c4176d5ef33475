/* The memory of a model. */
#include "model.h"
#include "arena.h"

static void take_matrix(struct arena *arena, struct matrix *matrix, uint32_t rows, uint32_t columns,
                        uint32_t group) {
    *matrix = (struct matrix){.rows = rows, .columns = columns, .group = group};
    matrix->data = arena_take(arena, 1, matrix_bytes(matrix));
}

static void take_layer(struct arena *arena, struct layer *layer, const struct shape *s) {
    uint32_t dim = matrix_padded(s->dim), hidden = matrix_padded(s->hidden_dim);
    layer->attention_norm = arena_take(arena, dim, sizeof(float));
    take_matrix(arena, &layer->qkv, model_value_row(s) + matrix_padded(shape_kv_dim(s)), s->dim,
                s->group);
    take_matrix(arena, &layer->attention_out, dim, s->dim, s->group);
    layer->ffn_norm = arena_take(arena, dim, sizeof(float));
    take_matrix(arena, &layer->gate_up, 2 * hidden, s->dim, s->group);
    take_matrix(arena, &layer->down, dim, s->hidden_dim, s->group);
}

/* Weights in the order in which a token needs them. */
static void take_model(struct arena *arena, struct model *model) {
    const struct shape *s = &model->shape;
    uint32_t vocabulary = matrix_padded(s->vocabulary);
    struct layer counted;
    model->layer = arena_take(arena, s->layers, sizeof *model->layer);
    take_matrix(arena, &model->embedding, vocabulary, s->dim, s->group);
    for (uint32_t i = 0; i < s->layers; i++)
        take_layer(arena, model->layer ? model->layer + i : &counted, s);
    model->final_norm = arena_take(arena, matrix_padded(s->dim), sizeof(float));
    if (s->shared_classifier)
        model->classifier = model->embedding;
    else
        take_matrix(arena, &model->classifier, vocabulary, s->dim, s->group);
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
