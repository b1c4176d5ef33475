/* llama2.c's model files. They are read piece by piece, and each piece's weights are stored to the
 * matrices at once. */
#include "checkpoint.h"

#define MAGIC 0x616B3432u /* "ak42" */
#define HEADER_BYTES 256  /* versions 1 and 2; the rest of it is zeros */
#define CONFIG_FIELDS 7
#define PIECE_BYTES (64u * 1024)

/* Limits. Products of three of them and 8 bytes fit into 64 bits. */
#define MAX_DIMENSION (1u << 17)
#define MAX_LAYERS 1024u
#define MAX_VOCABULARY (1u << 20)
#define MAX_CONTEXT (1u << 20)
#define MIN_VOCABULARY 3u /* <unk>, <s>, </s> */

struct reader {
    struct file *file;
    const char *path;
    struct error *error;
    uint64_t offset;
    void *piece; /* PIECE_BYTES */
    struct model *model;
    uint32_t version;
};

static bool read_next(struct reader *r, void *buffer, size_t size) {
    if (!file_read(r->file, r->offset, buffer, size, r->error))
        return false;
    r->offset += size;
    return true;
}

/* ---- The header ---- */

static bool check_range(struct reader *r, const char *name, int32_t value, uint32_t max) {
    return (value >= 1 && (uint32_t)value <= max) ||
           error_set(r->error,
                     "%s: its %s is %d, which is not between 1 and %u: not a llama2.c "
                     "model, or damaged",
                     r->path, name, (int)value, (unsigned)max);
}

static bool check_config(struct reader *r, const int32_t field[CONFIG_FIELDS]) {
    static const struct {
        const char *name;
        uint32_t max;
    } limits[CONFIG_FIELDS] = {
        {"dim", MAX_DIMENSION},       {"hidden_dim", MAX_DIMENSION}, {"n_layers", MAX_LAYERS},
        {"n_heads", MAX_DIMENSION},   {"n_kv_heads", MAX_DIMENSION}, {"vocab_size", MAX_VOCABULARY},
        {"max_seq_len", MAX_CONTEXT},
    };
    for (int i = 0; i < CONFIG_FIELDS; i++)
        if (!check_range(r, limits[i].name, field[i], limits[i].max))
            return false;
    struct model_config *config = &r->model->config;
    config->dim = (uint32_t)field[0];
    config->hidden_dim = (uint32_t)field[1];
    config->layers = (uint32_t)field[2];
    config->heads = (uint32_t)field[3];
    config->kv_heads = (uint32_t)field[4];
    config->vocabulary = (uint32_t)field[5];
    config->context = (uint32_t)field[6];
    if (config->dim % config->heads != 0 || model_head_size(config) % 2 != 0)
        return error_set(r->error,
                         "%s: its dim is %u, which cannot be divided into %u heads of an "
                         "even size",
                         r->path, (unsigned)config->dim, (unsigned)config->heads);
    if (config->heads % config->kv_heads != 0)
        return error_set(r->error,
                         "%s: its %u heads cannot share %u heads of keys and values "
                         "evenly",
                         r->path, (unsigned)config->heads, (unsigned)config->kv_heads);
    if (config->vocabulary < MIN_VOCABULARY)
        return error_set(r->error,
                         "%s: its vocabulary has %u pieces, but at least %u have a fixed "
                         "meaning",
                         r->path, (unsigned)config->vocabulary, MIN_VOCABULARY);
    return true;
}

/* The group size of an int8 model must divide the rows of every matrix. */
static bool check_group(struct reader *r, int32_t group) {
    struct model_config *config = &r->model->config;
    if (group < 1 || config->dim % (uint32_t)group != 0 ||
        config->hidden_dim % (uint32_t)group != 0)
        return error_set(r->error,
                         "%s: its int8 group size is %d, which does not divide both dim "
                         "(%u) and hidden_dim (%u); export it with one that does",
                         r->path, (int)group, (unsigned)config->dim, (unsigned)config->hidden_dim);
    config->group = (uint32_t)group;
    return true;
}

static bool read_header(struct reader *r) {
    unsigned char header[HEADER_BYTES] = {0};
    int32_t field[CONFIG_FIELDS];
    uint32_t magic, version = 0;
    if (file_size(r->file) < sizeof field || !read_next(r, header, sizeof field))
        return error_set(r->error, "%s: too short to be a model", r->path);
    memcpy(&magic, header, sizeof magic);
    if (magic != MAGIC) {
        memcpy(field, header, sizeof field);
        /* Version 0: a negative vocabulary means that the classifier has weights of its own. */
        r->model->config.shared_classifier = field[5] > 0;
        if (field[5] < 0 && field[5] != INT32_MIN)
            field[5] = -field[5];
        return check_config(r, field);
    }
    if (file_size(r->file) < HEADER_BYTES)
        return error_set(r->error, "%s: it ends within its header", r->path);
    if (!read_next(r, header + sizeof field, HEADER_BYTES - sizeof field))
        return false;
    memcpy(&version, header + 4, sizeof version);
    if (version != 1 && version != 2)
        return error_set(r->error,
                         "%s: llama2.c model of version %u; versions 0, 1 and 2 can be "
                         "read",
                         r->path, (unsigned)version);
    r->version = version;
    memcpy(field, header + 8, sizeof field);
    unsigned char shared = header[8 + sizeof field];
    if (shared > 1)
        return error_set(r->error, "%s: its shared-classifier flag is %u, neither 0 nor 1", r->path,
                         shared);
    r->model->config.shared_classifier = shared;
    int32_t group;
    memcpy(&group, header + 9 + sizeof field, sizeof group);
    return check_config(r, field) && (version == 1 || check_group(r, group));
}

/* ---- The tensors ---- */

/* Where a tensor of one layer, or of the model, is stored: in a matrix or a vector of floats. */
struct destination {
    uint32_t rows, columns; /* of the tensor; 0 rows: it is not in the file */
    struct matrix *matrix;
    uint32_t row;  /* of the matrix, where the tensor begins */
    float *floats; /* without a matrix; NULL: not needed */
};

typedef struct destination find_destination(struct model *model, struct layer *layer);

static struct destination embedding(struct model *m, struct layer *layer) {
    (void)layer;
    return (struct destination){m->config.vocabulary, m->config.dim, &m->embedding, 0, NULL};
}
static struct destination classifier(struct model *m, struct layer *layer) {
    (void)layer;
    uint32_t rows = m->config.shared_classifier ? 0 : m->config.vocabulary;
    return (struct destination){rows, m->config.dim, &m->classifier, 0, NULL};
}
static struct destination final_norm(struct model *m, struct layer *layer) {
    (void)layer;
    return (struct destination){1, m->config.dim, NULL, 0, m->final_norm};
}
/* Version 0 has the cosines and sines of all positions; we compute them. */
static struct destination rotation(struct model *m, struct layer *layer) {
    (void)layer;
    return (struct destination){m->config.context, model_head_size(&m->config), NULL, 0, NULL};
}
static struct destination attention_norm(struct model *m, struct layer *layer) {
    return (struct destination){1, m->config.dim, NULL, 0, layer->attention_norm};
}
static struct destination ffn_norm(struct model *m, struct layer *layer) {
    return (struct destination){1, m->config.dim, NULL, 0, layer->ffn_norm};
}
static struct destination query(struct model *m, struct layer *layer) {
    return (struct destination){m->config.dim, m->config.dim, &layer->qkv, 0, NULL};
}
static struct destination key(struct model *m, struct layer *layer) {
    return (struct destination){model_kv_dim(&m->config), m->config.dim, &layer->qkv,
                                model_key_row(&m->config), NULL};
}
static struct destination value(struct model *m, struct layer *layer) {
    return (struct destination){model_kv_dim(&m->config), m->config.dim, &layer->qkv,
                                model_value_row(&m->config), NULL};
}
static struct destination attention_out(struct model *m, struct layer *layer) {
    return (struct destination){m->config.dim, m->config.dim, &layer->attention_out, 0, NULL};
}
static struct destination gate(struct model *m, struct layer *layer) {
    return (struct destination){m->config.hidden_dim, m->config.dim, &layer->gate_up, 0, NULL};
}
static struct destination down(struct model *m, struct layer *layer) {
    return (struct destination){m->config.dim, m->config.hidden_dim, &layer->down, 0, NULL};
}
static struct destination up(struct model *m, struct layer *layer) {
    return (struct destination){m->config.hidden_dim, m->config.dim, &layer->gate_up,
                                model_up_row(&m->config), NULL};
}

/* A tensor in the file's order; of_layers: those of all layers, one after the other. */
struct tensor {
    find_destination *find;
    bool of_layers;
};

static const struct tensor order_0[] = {
    {embedding, false},  {attention_norm, true}, {query, true},
    {key, true},         {value, true},          {attention_out, true},
    {ffn_norm, true},    {gate, true},           {down, true},
    {up, true},          {final_norm, false},    {rotation, false},
    {classifier, false}, {NULL, false},
};
static const struct tensor order_1_and_2[] = {
    {attention_norm, true}, {ffn_norm, true}, {final_norm, false}, {embedding, false},
    {query, true},          {key, true},      {value, true},       {attention_out, true},
    {gate, true},           {down, true},     {up, true},          {classifier, false},
    {NULL, false},
};

static const struct tensor *tensor_order(const struct reader *r) {
    return r->version == 0 ? order_0 : order_1_and_2;
}

/* Bytes of the whole file, by its header. */
static uint64_t expected_size(struct reader *r) {
    struct layer any = {0};
    uint64_t bytes = r->version == 0 ? CONFIG_FIELDS * sizeof(int32_t) : HEADER_BYTES;
    for (const struct tensor *tensor = tensor_order(r); tensor->find; tensor++) {
        struct destination to = tensor->find(r->model, &any);
        uint64_t elements = (uint64_t)to.rows * to.columns;
        uint32_t group = to.matrix ? r->model->config.group : 0;
        uint64_t size =
            group ? elements + elements / group * sizeof(float) : elements * sizeof(float);
        bytes += size * (tensor->of_layers ? r->model->config.layers : 1);
    }
    return bytes;
}

typedef void store_piece(struct matrix *matrix, uint32_t row, size_t first, size_t count,
                         const void *piece);

static void store_f32(struct matrix *matrix, uint32_t row, size_t first, size_t count,
                      const void *piece) {
    matrix_store_f32(matrix, row, first, count, piece);
}
static void store_q8(struct matrix *matrix, uint32_t row, size_t first, size_t count,
                     const void *piece) {
    matrix_store_q8(matrix, row, first, count, piece);
}
static void store_scales(struct matrix *matrix, uint32_t row, size_t first, size_t count,
                         const void *piece) {
    matrix_store_scales(matrix, row, first, count, piece);
}

/* Reads count elements of size bytes, piece by piece. */
static bool read_matrix(struct reader *r, const struct destination *to, uint64_t count, size_t size,
                        store_piece *put) {
    for (uint64_t first = 0; first < count;) {
        uint64_t left = count - first;
        size_t now = left < PIECE_BYTES / size ? (size_t)left : PIECE_BYTES / size;
        if (!read_next(r, r->piece, now * size))
            return false;
        put(to->matrix, to->row, first, now, r->piece);
        first += now;
    }
    return true;
}

static bool read_tensor(struct reader *r, const struct destination *to) {
    uint64_t elements = (uint64_t)to->rows * to->columns;
    uint32_t group = r->model->config.group;
    if (to->matrix && group)
        return read_matrix(r, to, elements, 1, store_q8) &&
               read_matrix(r, to, elements / group, sizeof(float), store_scales);
    if (to->matrix)
        return read_matrix(r, to, elements, sizeof(float), store_f32);
    if (to->floats)
        return read_next(r, to->floats, elements * sizeof(float));
    r->offset += elements * sizeof(float);
    return true;
}

static bool read_tensors(struct reader *r) {
    struct model *model = r->model;
    for (const struct tensor *tensor = tensor_order(r); tensor->find; tensor++) {
        uint32_t times = tensor->of_layers ? model->config.layers : 1;
        for (uint32_t i = 0; i < times; i++) {
            struct destination to = tensor->find(model, model->layer + i);
            if (!read_tensor(r, &to))
                return false;
        }
    }
    return true;
}

bool checkpoint_read(struct model *model, struct file *file, const char *path,
                     struct error *error) {
    struct reader r = {.file = file, .path = path, .error = error, .model = model};
    *model = (struct model){0};
    if (!read_header(&r))
        return false;
    uint64_t expected = expected_size(&r);
    if (file_size(file) != expected)
        return error_set(error,
                         "%s: it has %llu bytes where its header asks for %llu: damaged or "
                         "cut short",
                         path, (unsigned long long)file_size(file), (unsigned long long)expected);
    if (!model_allocate(model, error))
        return false;
    r.piece = malloc(PIECE_BYTES); /* after the model: it leaves no hole in front of it */
    bool good = r.piece ? read_tensors(&r)
                        : error_set(error, "no memory to read the model; give the machine more");
    free(r.piece);
    if (!good)
        model_free(model);
    return good;
}
