// sources: tinyllama/formats/gguf.c tinyllama/formats/gguf_cursor.c
// sources: tinyllama/formats/gguf_values.c tinyllama/formats/gguf_model.c
// sources: tinyllama/formats/gguf_weights.c tinyllama/kernels/weight_types.c
// sources: tinyllama/kernels/matrix.c tinyllama/kernels/kernels.c tinyllama/model.c
// sources: tinyllama/kernels/block_product.c
// sources: kernel_lib/error.c tests/host/memory_file.c
// sources: kernel_lib/io/format.c
/* The GGUF reader: weights at their places, defaults, and what it says about bad files. */
#include "gguf_example.h"
#include "memory_file.h"
#include "tinyllama/formats/gguf_model.h"
#include "tinyllama/kernels/block_product.h"

/* Called when reading takes long. */
void console_progress(const char *format, ...) {
    (void)format;
}
uint64_t cpu_cycles_per_second(void) {
    return UINT64_MAX / 2;
}

static bool read_image(struct model *model, const struct gguf_image *image, struct error *error) {
    /* In memory of just its size, so that reading beyond the end shows. */
    void *bytes = malloc(image->size + !image->size);
    struct gguf gguf;
    CHECK(bytes);
    memcpy(bytes, image->bytes, image->size);
    struct file *file = memory_file(bytes, image->size);
    bool good = gguf_open(&gguf, file, "m.gguf", error);
    if (good) {
        good = gguf_read_model(model, &gguf);
        gguf_close(&gguf);
    }
    file_close(file);
    free(bytes);
    return good;
}

/* ---- Where the weights are ---- */

static uint32_t interleaved(uint32_t i) {
    uint32_t in_head = i % HEAD_SIZE, half = HEAD_SIZE / 2;
    return i - in_head + (in_head < half ? 2 * in_head : 2 * (in_head - half) + 1);
}

/* The number of a tensor in the list. */
static size_t number_of(const struct options *o, const char *name) {
    struct named list[64];
    size_t count = list_tensors(list, o), i = 0;
    while (i < count && strcmp(list[i].name, name) != 0)
        i++;
    CHECK(i < count);
    return i;
}

static void check_matrix(const struct options *o, const char *name, const struct matrix *matrix,
                         uint32_t row, uint32_t rows, bool turned) {
    size_t number = number_of(o, name);
    float values[HIDDEN];
    for (uint32_t i = 0; i < rows; i++) {
        (matrix->type ? block_row : matrix_row)(matrix, row + (turned ? interleaved(i) : i),
                                                values);
        for (uint32_t j = 0; j < matrix->columns; j++) {
            float expected = weight_of(number, i * matrix->columns + j);
            CHECK(values[j] == (matrix->type ? (float)((int)expected % 100) : expected));
        }
    }
}

static void check_floats(const struct options *o, const char *name, const float *floats,
                         uint32_t count, bool turned) {
    size_t number = number_of(o, name);
    for (uint32_t i = 0; i < count; i++)
        CHECK(floats[turned ? interleaved(i) : i] == weight_of(number, i));
}

static void test_weights(const struct options *o, bool halves) {
    struct model m;
    struct error error;
    CHECK(read_image(&m, make_image(o), &error));
    const struct model_config *c = &m.config;
    const struct layer *l = &m.layer[1];
    bool mixed = o->key_type != F32;
    CHECK(c->dim == DIM && c->hidden_dim == HIDDEN && c->layers == LAYERS && c->context == 77);
    CHECK(c->heads == HEADS && c->kv_heads == KV_HEADS && model_head_size(c) == HEAD_SIZE);
    CHECK(c->vocabulary == VOCABULARY && c->shared_classifier && c->norm_epsilon == 1e-5f);
    CHECK(c->qkv_bias == o->bias && c->qk_norm == o->norms && m.has_blocks == mixed);
    check_matrix(o, "token_embd.weight", &m.embedding, 0, VOCABULARY, false);
    check_floats(o, "output_norm.weight", m.final_norm, DIM, false);
    check_floats(o, "blk.1.attn_norm.weight", l->attention_norm, DIM, false);
    check_matrix(o, "blk.1.attn_q.weight", &l->qkv, 0, HEADS * HEAD_SIZE, halves);
    check_matrix(o, "blk.1.attn_k.weight", mixed ? &l->key : &l->qkv, mixed ? 0 : model_key_row(c),
                 KV_HEADS * HEAD_SIZE, halves);
    check_matrix(o, "blk.1.attn_v.weight", mixed ? &l->value : &l->qkv,
                 mixed ? 0 : model_value_row(c), KV_HEADS * HEAD_SIZE, false);
    check_matrix(o, "blk.1.attn_output.weight", &l->attention_out, 0, DIM, false);
    check_floats(o, "blk.1.ffn_norm.weight", l->ffn_norm, DIM, false);
    check_matrix(o, "blk.1.ffn_gate.weight", &l->gate_up, 0, HIDDEN, false);
    check_matrix(o, "blk.1.ffn_up.weight", &l->gate_up, model_up_row(c), HIDDEN, false);
    check_matrix(o, "blk.1.ffn_down.weight", &l->down, 0, DIM, false);
    if (o->bias) {
        check_floats(o, "blk.1.attn_q.bias", l->qkv_bias, HEADS * HEAD_SIZE, halves);
        check_floats(o, "blk.1.attn_k.bias", l->qkv_bias + model_key_row(c), HEAD_SIZE, halves);
        check_floats(o, "blk.1.attn_v.bias", l->qkv_bias + model_value_row(c), HEAD_SIZE, false);
    }
    if (o->norms) {
        check_floats(o, "blk.1.attn_q_norm.weight", l->query_norm, HEAD_SIZE, halves);
        check_floats(o, "blk.1.attn_k_norm.weight", l->key_norm, HEAD_SIZE, halves);
    }
    model_free(&m);
}

/* ---- Bad files ---- */

static void expect(const struct gguf_image *image, const char *message) {
    struct model model;
    struct error error = {""};
    bool good = read_image(&model, image, &error);
    if (good || strcmp(error.text, message) != 0)
        fprintf(stderr, "said: %s\nwant: %s\n", error.text, message);
    CHECK(!good && strcmp(error.text, message) == 0);
    CHECK(memory_files_open() == 0);
}

/* A header with one entry, which is written by the caller. */
static struct gguf_image *begin_entry(void) {
    static struct gguf_image image;
    put_header(&image, 3, 0, 1);
    return &image;
}

static void test_bad_entries(void) {
    struct gguf_image *image = begin_entry();
    put_text(image, "", "x");
    expect(image, "m.gguf: damaged: the name of entry 0 has 0 bytes, not 1 to 127");
    image = begin_entry();
    put64(image, UINT64_MAX);
    put64(image, 0);
    expect(image, "m.gguf: damaged: the name of entry 0 has 18446744073709551615 bytes, not 1 to "
                  "127");
    image = begin_entry();
    put64(image, 3);
    put(image, "a\0b", 3);
    put64(image, 0);
    expect(image, "m.gguf: damaged: the name of entry 0 has a zero in it");
    image = begin_entry();
    put_key(image, "a", (enum gguf_type)13);
    expect(image, "m.gguf: damaged: its a has type 13, which there is not");
    image = begin_entry();
    put_array(image, "a", GGUF_ARRAY, 1);
    expect(image, "m.gguf: its a is an array of arrays, which nothing here has a use for");
    image = begin_entry();
    put_array(image, "a", (enum gguf_type)77, 1);
    expect(image, "m.gguf: damaged: its a has elements of type 77, which there is not");
    image = begin_entry();
    put_array(image, "a", GGUF_UINT64, UINT64_MAX / 8 + 2);
    expect(image, "m.gguf: damaged: its a has 2305843009213693953 elements, more than the file has "
                  "room for");
    image = begin_entry();
    put_key(image, "a", GGUF_STRING);
    put64(image, UINT64_MAX - 3);
    expect(image, "m.gguf: damaged: it ends within entry 0");
    image = begin_entry();
    put_array(image, "a", GGUF_STRING, 1);
    put64(image, 2);
    put(image, "\0x", 2);
    expect(image, "m.gguf: damaged: a string of its a has a zero in it");
    image = begin_entry();
    put_key(image, "a", GGUF_BOOL);
    put(image, "\2    ", 5);
    expect(image, "m.gguf: damaged: its a is neither true nor false");
    put_header(image, 3, 0, 2);
    put_whole(image, "a", 1);
    put_whole(image, "a", 1);
    expect(image, "m.gguf: damaged: it has two entries a");
}

static void test_bad_headers(void) {
    static struct gguf_image image;
    put_header(&image, 1, 0, 0);
    expect(&image, "m.gguf: GGUF of version 1; versions 2 and 3 can be read");
    put_header(&image, 0x03000000, 0, 0);
    expect(&image, "m.gguf: a big-endian GGUF file; only little-endian ones can be read");
    put_header(&image, 3, 0, UINT64_MAX);
    expect(&image, "m.gguf: its header claims 18446744073709551615 entries: damaged, or more than "
                   "1024");
    put_header(&image, 3, 1u << 20, 0);
    expect(&image, "m.gguf: its header claims 1048576 tensors: damaged, or more than 16384");
    put_header(&image, 3, 0, 0);
    image.size = 15;
    expect(&image, "m.gguf: damaged: it ends within header 0");
    put_header(&image, 3, 0, 1);
    put_whole(&image, "general.alignment", 0);
    expect(&image, "m.gguf: its general.alignment is 0, which is not between 1 and 1048576");
    put_header(&image, 3, 0, 1);
    put_text(&image, "general.architecture", "mamba");
    expect(&image, "m.gguf: its architecture is \"mamba\"; there are llama qwen2 qwen3 gemma3");
}

/* A header with up to two tensors, and so many bytes of data. */
static struct gguf_image *begin_tensors(uint64_t count) {
    static struct gguf_image image;
    put_header(&image, 3, count, 0);
    return &image;
}
static void put_data(struct gguf_image *image, size_t size) {
    put_padding(image, 32);
    for (size_t i = 0; i < size; i++)
        put(image, "", 1);
}

static void test_bad_tensors(void) {
    struct gguf_image *image = begin_tensors(1);
    put_tensor(image, "a", 32, 0, 4, 0);
    expect(image, "m.gguf: its tensor a has type 4; there are F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 "
                  "Q5_1 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS");
    image = begin_tensors(1);
    put_tensor(image, "a", 0, 0, F32, 0);
    expect(image, "m.gguf: its tensor a has an extent of 0, which no matrix of a language model "
                  "has");
    image = begin_tensors(1);
    put_tensor(image, "a", 1ull << 32, 1ull << 32, F32, 0);
    expect(image, "m.gguf: its tensor a has an extent of 4294967296, which no matrix of a language "
                  "model has");
    image = begin_tensors(1);
    put_tensor(image, "a", 31, 0, Q8_0, 0);
    expect(image, "m.gguf: its tensor a has 31 columns, no multiple of Q8_0's 32");
    image = begin_tensors(1);
    put_string(image, "a");
    put32(image, 5);
    put_data(image, 64);
    expect(image, "m.gguf: damaged: its tensor a has 5 dimensions");
    image = begin_tensors(1);
    put_tensor(image, "a", 1 << 30, 1 << 30, F32, 0);
    put_data(image, 64);
    expect(image, "m.gguf: damaged or cut short: its tensor a has 4611686018427387904 bytes, which "
                  "end behind its 160");
    image = begin_tensors(1);
    put_tensor(image, "a", 8, 0, F32, UINT64_MAX - 31);
    put_data(image, 64);
    expect(image, "m.gguf: damaged or cut short: its tensor a has 32 bytes, which end behind its "
                  "128");
    image = begin_tensors(1);
    put_tensor(image, "a", 8, 0, F32, 16);
    put_data(image, 64);
    expect(image, "m.gguf: damaged: its tensor a does not begin at a multiple of 32");
    image = begin_tensors(2);
    put_tensor(image, "a", 8, 2, F32, 0);
    put_tensor(image, "b", 8, 0, F32, 32);
    put_data(image, 64);
    expect(image, "m.gguf: damaged: its tensors a and b overlap");
    image = begin_tensors(2);
    put_tensor(image, "a", 8, 0, F32, 0);
    put_tensor(image, "a", 8, 0, F32, 32);
    put_data(image, 64);
    expect(image, "m.gguf: damaged: it has two tensors a");
}

/* ---- Models that do not fit together ---- */

/* Replaces one word by another of the same length, everywhere in the header. */
static const struct gguf_image *replaced(const struct options *o, const char *word,
                                         const char *by) {
    struct gguf_image *image = make_image(o);
    size_t length = strlen(word);
    CHECK(strlen(by) == length);
    for (size_t i = 0; i + length < image->size && i < 4096; i++)
        if (memcmp(image->bytes + i, word, length) == 0)
            memcpy(image->bytes + i, by, length);
    return image;
}

static void test_bad_models(void) {
    static const struct options llama = {.architecture = "llama"};
    static const struct options biased = {.architecture = "qwen3", .bias = true, .norms = true};
    expect(replaced(&llama, "blk.1.ffn_up.weight", "blk.1.ffn_hp.weight"),
           "m.gguf: it has no tensor blk.1.ffn_up.weight");
    expect(replaced(&llama, "llama.block_count", "llama.block_kount"),
           "m.gguf: it has no llama.block_count");
    expect(replaced(&biased, "blk.0.attn_k.bias", "blk.0.attn_K.bias"),
           "m.gguf: it has no tensor blk.0.attn_k.bias");
    expect(replaced(&biased, "qwen3", "qwen2"),
           "m.gguf: its tensor blk.0.attn_k_norm.weight is no part of a model of the architecture "
           "qwen2");
    expect(replaced(&llama, "attention.head_count_kv", "attention.key_length123"),
           "m.gguf: its tensor blk.0.attn_k.weight has 16 x 32 elements, not 32 x 32");
}

/* Files that are cut anywhere, and with any byte of the header changed: no crash, and a message or
 * a model. */
static void test_mutations(void) {
    static const struct options o = {.architecture = "qwen2", .bias = true, .key_type = Q8_0};
    static struct gguf_image changed;
    struct gguf_image whole = *make_image(&o);
    struct model model;
    struct error error;
    CHECK(read_image(&model, &whole, &error));
    model_free(&model);
    for (size_t size = 0; size < whole.size; size += size < 4096 ? 1 : 97) {
        changed = whole;
        changed.size = size;
        error.text[0] = '\0';
        CHECK(!read_image(&model, &changed, &error) && error.text[0]);
    }
    for (size_t i = 0; i < 3500; i++) {
        static const unsigned char values[] = {0x00, 0x01, 0x7F, 0x80, 0xFF};
        for (size_t v = 0; v < sizeof values; v++) {
            changed = whole;
            changed.bytes[i] = values[v];
            error.text[0] = '\0';
            if (read_image(&model, &changed, &error))
                model_free(&model);
            else
                CHECK(error.text[0]);
        }
    }
    CHECK(memory_files_open() == 0);
}

int main(void) {
    test_weights(&(struct options){.architecture = "llama"}, false);
    test_weights(&(struct options){.architecture = "llama", .version = 2, .alignment = 8}, false);
    test_weights(&(struct options){.architecture = "llama", .alignment = 4096, .backwards = true},
                 false);
    test_weights(&(struct options){.architecture = "llama", .bias = true, .key_type = Q8_0}, false);
    test_weights(&(struct options){.architecture = "qwen2", .bias = true}, true);
    test_weights(&(struct options){.architecture = "qwen3", .norms = true, .key_type = Q8_0}, true);
    test_bad_headers();
    test_bad_entries();
    test_bad_tensors();
    test_bad_models();
    test_mutations();
    puts("gguf: passed");
}
