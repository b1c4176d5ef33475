/* GGUF's tensors to their places in the model. */
#include "gguf_model.h"

#define PIECE_BYTES (256u * 1024) /* that are read at once; or a row, if that is longer */
#define PROGRESS_MS 1000

enum slot {
    NO_SLOT,
    EMBEDDING,
    CLASSIFIER,
    FINAL_NORM,
    ROPE_FACTORS,
    OF_LAYERS, /* all below have one for each layer */
    ATTENTION_NORM = OF_LAYERS,
    QUERY,
    KEY,
    VALUE,
    QUERY_BIAS,
    KEY_BIAS,
    VALUE_BIAS,
    QUERY_NORM,
    KEY_NORM,
    ATTENTION_OUT,
    ATTENTION_POST_NORM,
    FFN_NORM,
    GATE,
    UP,
    DOWN,
    FFN_POST_NORM,
    SLOTS
};

/* Names in the file; those of layers follow "blk.N.". */
static const char *const slot_names[SLOTS] = {
    [EMBEDDING] = "token_embd.weight",
    [CLASSIFIER] = "output.weight",
    [FINAL_NORM] = "output_norm.weight",
    [ROPE_FACTORS] = "rope_freqs.weight",
    [ATTENTION_NORM] = "attn_norm.weight",
    [QUERY] = "attn_q.weight",
    [KEY] = "attn_k.weight",
    [VALUE] = "attn_v.weight",
    [QUERY_BIAS] = "attn_q.bias",
    [KEY_BIAS] = "attn_k.bias",
    [VALUE_BIAS] = "attn_v.bias",
    [QUERY_NORM] = "attn_q_norm.weight",
    [KEY_NORM] = "attn_k_norm.weight",
    [ATTENTION_OUT] = "attn_output.weight",
    [ATTENTION_POST_NORM] = "post_attention_norm.weight",
    [FFN_NORM] = "ffn_norm.weight",
    [GATE] = "ffn_gate.weight",
    [UP] = "ffn_up.weight",
    [DOWN] = "ffn_down.weight",
    [FFN_POST_NORM] = "post_ffw_norm.weight",
};

/* Where a tensor goes: to a matrix, or to floats. */
struct place {
    uint32_t rows, columns; /* of the tensor; 0 rows: the model has no such tensor */
    struct matrix *matrix;
    uint32_t row;       /* of the matrix, where the tensor begins */
    float *floats;      /* without a matrix */
    uint32_t head_size; /* whose pairs are interleaved for RoPE, in each head; 0: as it is */
};

static struct place vector_of(uint32_t size, float *floats, bool is_there) {
    return (struct place){.rows = is_there, .columns = size, .floats = floats};
}
static struct place matrix_of(uint32_t rows, uint32_t columns, struct matrix *matrix) {
    return (struct place){.rows = rows, .columns = columns, .matrix = matrix};
}
/* The same where the matrix may be a part of another one, from row on. */
static struct place part_of(uint32_t rows, uint32_t columns, struct matrix *own,
                            struct matrix *whole, uint32_t row) {
    bool separate = own->rows != 0;
    return (struct place){.rows = rows,
                          .columns = columns,
                          .matrix = separate ? own : whole,
                          .row = separate ? 0 : row};
}
static float *behind(float *floats, uint32_t count) {
    return floats ? floats + count : NULL;
}

static struct place find_place(struct model *m, struct layer *l, enum slot slot) {
    const struct model_config *c = &m->config;
    uint32_t query = model_query_dim(c), kv = model_kv_dim(c), head = model_head_size(c);
    switch (slot) {
    case EMBEDDING:
        return matrix_of(c->vocabulary, c->dim, &m->embedding);
    case CLASSIFIER:
        return matrix_of(c->shared_classifier ? 0 : c->vocabulary, c->dim, &m->classifier);
    case FINAL_NORM:
        return vector_of(c->dim, m->final_norm, true);
    case ROPE_FACTORS:
        return vector_of(c->rope_dims / 2, m->rope_factors, true);
    case ATTENTION_NORM:
        return vector_of(c->dim, l->attention_norm, true);
    case QUERY:
        return matrix_of(query, c->dim, &l->qkv);
    case KEY:
        return part_of(kv, c->dim, &l->key, &l->qkv, model_key_row(c));
    case VALUE:
        return part_of(kv, c->dim, &l->value, &l->qkv, model_value_row(c));
    case QUERY_BIAS:
        return vector_of(query, l->qkv_bias, c->qkv_bias);
    case KEY_BIAS:
        return vector_of(kv, behind(l->qkv_bias, model_key_row(c)), c->qkv_bias);
    case VALUE_BIAS:
        return vector_of(kv, behind(l->qkv_bias, model_value_row(c)), c->qkv_bias);
    case QUERY_NORM:
        return vector_of(head, l->query_norm, c->qk_norm);
    case KEY_NORM:
        return vector_of(head, l->key_norm, c->qk_norm);
    case ATTENTION_OUT:
        return matrix_of(c->dim, query, &l->attention_out);
    case ATTENTION_POST_NORM:
        return vector_of(c->dim, l->attention_post_norm, c->post_norms);
    case FFN_NORM:
        return vector_of(c->dim, l->ffn_norm, true);
    case GATE:
        return matrix_of(c->hidden_dim, c->dim, &l->gate_up);
    case UP:
        return part_of(c->hidden_dim, c->dim, &l->up, &l->gate_up, model_up_row(c));
    case DOWN:
        return matrix_of(c->dim, c->hidden_dim, &l->down);
    case FFN_POST_NORM:
        return vector_of(c->dim, l->ffn_post_norm, c->post_norms);
    default:
        return (struct place){0};
    }
}

/* What is read, and for which architecture. */
struct loader {
    struct gguf *gguf;
    const struct architecture *architecture;
    struct model *model;
    unsigned char *piece;
    size_t piece_bytes;
    uint64_t done, total; /* bytes of tensors */
    uint64_t shown;       /* TSC when the progress was last shown, or the reading began */
};

static struct place place_in(const struct loader *l, struct layer *layer, enum slot slot) {
    struct place place = find_place(l->model, layer, slot);
    bool turns = slot == QUERY || slot == KEY || slot == QUERY_BIAS || slot == KEY_BIAS ||
                 slot == QUERY_NORM || slot == KEY_NORM;
    if (turns && l->architecture->halves)
        place.head_size = model_head_size(&l->model->config);
    return place;
}

/* ---- The check ---- */

static void name_of(char name[GGUF_MAX_NAME + 1], enum slot slot, uint32_t layer) {
    if (slot < OF_LAYERS)
        snprintf(name, GGUF_MAX_NAME + 1, "%s", slot_names[slot]);
    else
        snprintf(name, GGUF_MAX_NAME + 1, "blk.%u.%s", (unsigned)layer, slot_names[slot]);
}

/* Finds the tensor of a slot: it has to be there with the right extents if the model has it. */
static bool find_tensor(struct loader *l, enum slot slot, uint32_t layer,
                        struct gguf_tensor **found) {
    struct layer nowhere = {0};
    struct place place = place_in(l, &nowhere, slot);
    char name[GGUF_MAX_NAME + 1];
    name_of(name, slot, layer);
    struct gguf_tensor *tensor = *found = place.rows ? gguf_tensor(l->gguf, name) : NULL;
    if (!place.rows || (!tensor && slot == ROPE_FACTORS))
        return true;
    if (!tensor)
        return gguf_error(l->gguf, "it has no tensor %s", name);
    if (tensor->columns != place.columns || tensor->rows != place.rows)
        return gguf_error(l->gguf, "its tensor %s has %u x %u elements, not %u x %u", name,
                          (unsigned)tensor->rows, (unsigned)tensor->columns, (unsigned)place.rows,
                          (unsigned)place.columns);
    if (!place.matrix && !weight_is_float32(tensor->type))
        return gguf_error(l->gguf, "its tensor %s has type %s, not F32", name, tensor->type->name);
    tensor->slot = slot;
    tensor->layer = layer;
    l->total += tensor->bytes;
    size_t row = weight_row_bytes(tensor->type, tensor->columns);
    if (row > l->piece_bytes)
        l->piece_bytes = row;
    return true;
}

static const struct weight_type *type_of(const struct gguf_tensor *tensor) {
    return tensor ? tensor->type : NULL;
}

static bool find_layer(struct loader *l, uint32_t layer, struct layer_types *types) {
    struct gguf_tensor *found[SLOTS];
    for (enum slot slot = OF_LAYERS; slot < SLOTS; slot++)
        if (!find_tensor(l, slot, layer, &found[slot]))
            return false;
    *types = (struct layer_types){
        .query = type_of(found[QUERY]),
        .key = type_of(found[KEY]),
        .value = type_of(found[VALUE]),
        .attention_out = type_of(found[ATTENTION_OUT]),
        .gate = type_of(found[GATE]),
        .up = type_of(found[UP]),
        .down = type_of(found[DOWN]),
    };
    return true;
}

/* Finds all tensors; layers has room for the types of each layer. */
static bool find_tensors(struct loader *l, struct model_types *types, struct layer_types *layers) {
    struct gguf_tensor *found[OF_LAYERS];
    for (enum slot slot = EMBEDDING; slot < OF_LAYERS; slot++)
        if (!find_tensor(l, slot, 0, &found[slot]))
            return false;
    for (uint32_t i = 0; i < l->model->config.layers; i++)
        if (!find_layer(l, i, layers + i))
            return false;
    for (size_t i = 0; i < l->gguf->tensor_count; i++)
        if (l->gguf->tensors[i].slot == NO_SLOT)
            return gguf_error(l->gguf, "its tensor %s is no part of a model of the architecture %s",
                              l->gguf->tensors[i].name, l->architecture->name);
    *types = (struct model_types){
        .embedding = type_of(found[EMBEDDING]),
        .classifier = type_of(found[CLASSIFIER]),
        .layer = layers,
        .rope_factors = found[ROPE_FACTORS] != NULL,
    };
    return true;
}

/* ---- Reading ---- */

static void show_progress(struct loader *l, size_t bytes) {
    uint64_t now = cpu_rdtsc();
    l->done += bytes;
    if (now - l->shown < cpu_cycles_per_second() / 1000 * PROGRESS_MS)
        return;
    l->shown = now;
    console_progress("Reading the model: %u of %u MB\n", (unsigned)(l->done >> 20),
                     (unsigned)(l->total >> 20));
}

/* Where row i of a tensor belongs: dimension j of a head that turns with the one half of them
 * further becomes the neighbour of that. */
static uint32_t interleaved(const struct loader *l, const struct place *place, uint32_t i) {
    uint32_t half = l->model->config.rope_dims / 2;
    if (place->head_size == 0 || i % place->head_size >= 2 * half)
        return i;
    uint32_t in_head = i % place->head_size, head = i - in_head;
    return head + (in_head < half ? 2 * in_head : 2 * (in_head - half) + 1);
}

static bool read_piece(struct loader *l, uint64_t offset, void *to, size_t bytes) {
    if (!file_read(l->gguf->file, offset, to, bytes, l->gguf->error))
        return false;
    show_progress(l, bytes);
    return true;
}

static bool read_vector(struct loader *l, const struct gguf_tensor *tensor,
                        const struct place *place) {
    if (!read_piece(l, tensor->offset, l->piece, (size_t)tensor->bytes))
        return false;
    for (uint32_t i = 0; i < place->columns; i++)
        memcpy(place->floats + interleaved(l, place, i), l->piece + i * sizeof(float),
               sizeof(float));
    return true;
}

static void store_row(struct matrix *matrix, uint32_t row, const unsigned char *bytes) {
    if (matrix->type)
        matrix_store_blocks(matrix, row, bytes);
    else
        matrix_store_f32(matrix, row, 0, matrix->columns, (const float *)bytes);
}

/* Reads count rows from first on. */
static bool read_rows(struct loader *l, const struct gguf_tensor *tensor, const struct place *place,
                      uint32_t first, uint32_t count) {
    size_t row_bytes = matrix_row_bytes(place->matrix), bytes = count * row_bytes;
    uint64_t offset = tensor->offset + first * (uint64_t)row_bytes;
    if (!read_piece(l, offset, l->piece, bytes))
        return false;
    for (uint32_t i = 0; i < count; i++)
        store_row(place->matrix, place->row + interleaved(l, place, first + i),
                  l->piece + i * row_bytes);
    return true;
}

static bool read_tensor(struct loader *l, const struct gguf_tensor *tensor) {
    struct place place = place_in(l, l->model->layer + tensor->layer, (enum slot)tensor->slot);
    if (!place.matrix)
        return read_vector(l, tensor, &place);
    uint32_t at_once = (uint32_t)(l->piece_bytes / matrix_row_bytes(place.matrix));
    for (uint32_t row = 0; row < place.rows; row += at_once) {
        uint32_t left = place.rows - row;
        if (!read_rows(l, tensor, &place, row, left < at_once ? left : at_once))
            return false;
    }
    return true;
}

/* Reads the tensors in the order in which they lie in the file. */
static bool read_tensors(struct loader *l) {
    l->piece = malloc(l->piece_bytes); /* after the model: it leaves no hole in front of it */
    bool good = l->piece || gguf_error(l->gguf, "no memory to read it; give the machine more");
    l->shown = cpu_rdtsc();
    gguf_order_by_place(l->gguf);
    for (size_t i = 0; good && i < l->gguf->tensor_count; i++)
        good = read_tensor(l, &l->gguf->tensors[i]);
    free(l->piece);
    return good;
}

bool gguf_read_weights(struct model *model, struct gguf *g,
                       const struct architecture *architecture) {
    struct loader loader = {
        .gguf = g, .architecture = architecture, .model = model, .piece_bytes = PIECE_BYTES};
    struct model_types types;
    struct layer_types *layers = malloc(model->config.layers * sizeof *layers);
    bool good = layers || gguf_error(g, "no memory to read it; give the machine more");
    good = good && find_tensors(&loader, &types, layers) &&
           model_allocate_types(model, &types, g->error);
    free(layers);
    if (good && !read_tensors(&loader)) {
        model_free(model);
        good = false;
    }
    return good;
}
