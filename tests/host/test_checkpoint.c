// sources: tinyllama/formats/checkpoint.c tinyllama/model.c tinyllama/kernels/matrix.c
// sources: kernel_lib/error.c tests/host/memory_file.c
// sources: tinyllama/kernels/weight_types.c
// sources: kernel_lib/io/format.c
/* The model reader: every version's weights at their places, and what it says about bad files. */
#include "check.h"
#include "memory_file.h"
#include "tinyllama/formats/checkpoint.h"

/* ---- A writer of its own for small models ---- */

enum { DIM = 6, HIDDEN = 10, LAYERS = 2, HEADS = 3, KV_HEADS = 1, VOCABULARY = 21, CONTEXT = 7 };
enum { HEAD_SIZE = DIM / HEADS, KV_DIM = HEAD_SIZE * KV_HEADS, GROUP = 2 };

struct image {
    unsigned char bytes[1 << 16];
    size_t size;
    int version;
    uint32_t weights; /* written so far: the next one's number */
};

static void put(struct image *image, const void *bytes, size_t size) {
    CHECK(image->size + size <= sizeof image->bytes);
    memcpy(image->bytes + image->size, bytes, size);
    image->size += size;
}

static void put_int(struct image *image, int32_t value) {
    put(image, &value, sizeof value);
}

static void put_float(struct image *image, float value) {
    put(image, &value, sizeof value);
}

/* Tensors of float32 count on; those of int8 have count mod 200 - 100 and scales that count on. */
static void put_floats(struct image *image, int count) {
    for (int i = 0; i < count; i++)
        put_float(image, (float)image->weights++);
}

static void put_matrix(struct image *image, int rows, int columns) {
    if (image->version < 2) {
        put_floats(image, rows * columns);
        return;
    }
    for (int i = 0; i < rows * columns; i++) {
        int8_t value = (int8_t)((int)(image->weights++ % 200) - 100);
        put(image, &value, 1);
    }
    put_floats(image, rows * columns / GROUP);
}

static void put_matrices(struct image *image, int rows, int columns) {
    for (int i = 0; i < LAYERS; i++)
        put_matrix(image, rows, columns);
}

/* A model file of the version, as export.py of llama2.c lays it out. */
static struct image make_image(int version, bool shared) {
    struct image image = {.version = version};
    if (version > 0) {
        put(&image, "24ka", 4);
        put_int(&image, version);
    }
    const int32_t config[] = {DIM, HIDDEN, LAYERS, HEADS, KV_HEADS, VOCABULARY, CONTEXT};
    for (int i = 0; i < 7; i++)
        put_int(&image, i == 5 && version == 0 && !shared ? -config[i] : config[i]);
    if (version > 0) {
        put(&image, shared ? "\1" : "\0", 1);
        if (version == 2)
            put_int(&image, GROUP);
        while (image.size < 256)
            put(&image, "", 1);
        put_floats(&image, 2 * LAYERS * DIM + DIM);
        put_matrix(&image, VOCABULARY, DIM);
    } else {
        put_matrix(&image, VOCABULARY, DIM);
        put_floats(&image, LAYERS * DIM);
    }
    put_matrices(&image, DIM, DIM);
    put_matrices(&image, KV_DIM, DIM);
    put_matrices(&image, KV_DIM, DIM);
    put_matrices(&image, DIM, DIM);
    if (version == 0)
        put_floats(&image, LAYERS * DIM);
    put_matrices(&image, HIDDEN, DIM);
    put_matrices(&image, DIM, HIDDEN);
    put_matrices(&image, HIDDEN, DIM);
    if (version == 0)
        put_floats(&image, DIM + CONTEXT * HEAD_SIZE);
    if (!shared)
        put_matrix(&image, VOCABULARY, DIM);
    return image;
}

/* ---- Reading it ---- */

static bool read_image(struct model *model, const struct image *image, struct error *error) {
    /* In memory of just its size, so that reading beyond the end shows. */
    void *bytes = malloc(image->size + !image->size);
    CHECK(bytes);
    memcpy(bytes, image->bytes, image->size);
    struct file *file = memory_file(bytes, image->size);
    bool good = checkpoint_read(model, file, "m.bin", error);
    file_close(file);
    free(bytes);
    return good;
}

/* The tensor whose first weight has number next lies in the matrix from row on. Moves next behind
 * it. */
static void check_matrix(const struct matrix *matrix, uint32_t row, uint32_t rows, uint32_t *next) {
    float values[64];
    uint32_t scales = *next + rows * matrix->columns;
    for (uint32_t i = 0; i < rows; i++) {
        matrix_row(matrix, row + i, values);
        for (uint32_t j = 0; j < matrix->columns; j++) {
            uint32_t index = i * matrix->columns + j, number = *next + index;
            float expected =
                matrix->group ? ((float)(number % 200) - 100.0f) * (float)(scales + index / GROUP)
                              : (float)number;
            CHECK(values[j] == expected);
        }
    }
    *next = scales + (matrix->group ? rows * matrix->columns / GROUP : 0);
}

static void check_floats(const float *floats, uint32_t count, uint32_t *next) {
    for (uint32_t i = 0; i < count; i++)
        CHECK(floats[i] == (float)(*next)++);
}

#define CHECK_EACH_LAYER(member, row, rows, next)                                                  \
    for (int layer = 0; layer < LAYERS; layer++)                                                   \
        check_matrix(&model.layer[layer].member, row, rows, next);

static void test_version(int version, bool shared) {
    struct image image = make_image(version, shared);
    struct model model;
    struct error error;
    CHECK(read_image(&model, &image, &error));
    const struct model_config *c = &model.config;
    CHECK(c->dim == DIM && c->hidden_dim == HIDDEN && c->layers == LAYERS && c->heads == HEADS);
    CHECK(c->kv_heads == KV_HEADS && c->vocabulary == VOCABULARY && c->context == CONTEXT);
    CHECK(c->group == (version == 2 ? GROUP : 0) && c->shared_classifier == shared);
    CHECK((model.classifier.data == model.embedding.data) == shared);

    uint32_t next = 0;
    if (version == 0)
        check_matrix(&model.embedding, 0, VOCABULARY, &next);
    for (int layer = 0; layer < LAYERS; layer++)
        check_floats(model.layer[layer].attention_norm, DIM, &next);
    if (version > 0) {
        for (int layer = 0; layer < LAYERS; layer++)
            check_floats(model.layer[layer].ffn_norm, DIM, &next);
        check_floats(model.final_norm, DIM, &next);
        check_matrix(&model.embedding, 0, VOCABULARY, &next);
    }
    CHECK_EACH_LAYER(qkv, 0, DIM, &next);
    CHECK_EACH_LAYER(qkv, model_key_row(c), KV_DIM, &next);
    CHECK_EACH_LAYER(qkv, model_value_row(c), KV_DIM, &next);
    CHECK_EACH_LAYER(attention_out, 0, DIM, &next);
    for (int layer = 0; version == 0 && layer < LAYERS; layer++)
        check_floats(model.layer[layer].ffn_norm, DIM, &next);
    CHECK_EACH_LAYER(gate_up, 0, HIDDEN, &next);
    CHECK_EACH_LAYER(down, 0, DIM, &next);
    CHECK_EACH_LAYER(gate_up, model_up_row(c), HIDDEN, &next);
    if (version == 0) {
        check_floats(model.final_norm, DIM, &next);
        next += CONTEXT * HEAD_SIZE;
    }
    if (!shared)
        check_matrix(&model.classifier, 0, VOCABULARY, &next);
    CHECK(next == image.weights);
    model_free(&model);
}

/* ---- Bad files ---- */

static void expect(const struct image *image, const char *message) {
    struct model model;
    struct error error = {""};
    CHECK(!read_image(&model, image, &error));
    if (strcmp(error.text, message) != 0)
        fprintf(stderr, "said: %s\nwant: %s\n", error.text, message);
    CHECK(strcmp(error.text, message) == 0);
    CHECK(memory_files_open() == 0);
}

/* The image with one integer of it replaced. */
static struct image with_int(struct image image, size_t offset, int32_t value) {
    memcpy(image.bytes + offset, &value, sizeof value);
    return image;
}

/* Byte offsets in version 1 and 2. */
enum { AT_VERSION = 4, AT_SHAPE = 8, AT_SHARED = 36, AT_GROUP = 37 };

static void test_bad_sizes(void) {
    static char message[200];
    for (int version = 0; version <= 2; version++) {
        struct image image = make_image(version, true);
        size_t whole = image.size, header = version ? 256 : 28;
        for (size_t size = 0; size < whole + 2;
             size += 1 + (size > header && size + 20 < whole) * 17) {
            if (size == whole)
                continue;
            image.size = size;
            snprintf(message, sizeof message,
                     "m.bin: it has %zu bytes where its header asks for %zu: damaged or cut short",
                     size, whole);
            expect(&image, size < 28       ? "m.bin: too short to be a model"
                           : size < header ? "m.bin: it ends within its header"
                                           : message);
        }
    }
}

static void test_bad_headers(void) {
    struct image v1 = make_image(1, true), v2 = make_image(2, true), image;
    image = with_int(v1, AT_VERSION, 3);
    expect(&image, "m.bin: llama2.c model of version 3; versions 0, 1 and 2 can be read");
    image = with_int(v1, AT_SHAPE, 0);
    expect(&image,
           "m.bin: its dim is 0, which is not between 1 and 131072: not a llama2.c model, or "
           "damaged");
    image = with_int(v1, AT_SHAPE + 4, -3);
    expect(&image, "m.bin: its hidden_dim is -3, which is not between 1 and 131072: not a llama2.c "
                   "model, or damaged");
    image = with_int(v1, AT_SHAPE + 8, 1025);
    expect(&image, "m.bin: its n_layers is 1025, which is not between 1 and 1024: not a llama2.c "
                   "model, or damaged");
    image = with_int(v1, AT_SHAPE + 20, INT32_MIN);
    expect(&image,
           "m.bin: its vocab_size is -2147483648, which is not between 1 and 1048576: not a "
           "llama2.c model, or damaged");
    image = with_int(make_image(0, true), 20, INT32_MIN);
    expect(&image,
           "m.bin: its vocab_size is -2147483648, which is not between 1 and 1048576: not a "
           "llama2.c model, or damaged");
    image = with_int(v1, AT_SHAPE + 24, INT32_MAX);
    expect(&image,
           "m.bin: its max_seq_len is 2147483647, which is not between 1 and 1048576: not a "
           "llama2.c model, or damaged");
    image = with_int(v1, AT_SHAPE + 12, 4);
    expect(&image, "m.bin: its dim is 6, which cannot be divided into 4 heads of an even size");
    image = with_int(v1, AT_SHAPE + 12, 2);
    expect(&image, "m.bin: its dim is 6, which cannot be divided into 2 heads of an even size");
    image = with_int(v1, AT_SHAPE + 16, 2);
    expect(&image, "m.bin: its 3 heads cannot share 2 heads of keys and values evenly");
    image = with_int(v1, AT_SHAPE + 20, 2);
    expect(&image, "m.bin: its vocabulary has 2 pieces, but at least 3 have a fixed meaning");
    image = v1;
    image.bytes[AT_SHARED] = 2;
    expect(&image, "m.bin: its shared-classifier flag is 2, neither 0 nor 1");
    static const int32_t groups[] = {0, -2, 3, 4, INT32_MIN};
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        char message[200];
        image = with_int(v2, AT_GROUP, groups[i]);
        snprintf(message, sizeof message,
                 "m.bin: its int8 group size is %d, which does not divide both dim (6) and "
                 "hidden_dim (10); export it with one that does",
                 (int)groups[i]);
        expect(&image, message);
    }
}

int main(void) {
    for (int version = 0; version <= 2; version++) {
        test_version(version, true);
        test_version(version, false);
    }
    test_bad_sizes();
    test_bad_headers();
    puts("checkpoint: passed");
}
