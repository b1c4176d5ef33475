// sources: tinyllama/inference.c tinyllama/inference_buffers.c
// sources: tinyllama/kernels/kernels.c tinyllama/kernels/elementwise.c
// sources: tinyllama/kernels/matrix.c tinyllama/model.c tinyllama/profiling.c
// sources: kernel_lib/jit/timers.c kernel_lib/error.c tests/host/memory_file.c
// sources: tinyllama/kernels/weight_types.c
// sources: tinyllama/kernels/block_product.c tinyllama/kv_cache.c tinyllama/attention.c
// sources: kernel_lib/io/format.c
/*
 * The forward pass against one in double precision, written down from the papers with plain loops
 * over rows: grouped and single heads, sizes that fill no block, more positions than one block.
 */
#include "chance.h"
#include "check.h"
#include "tinyllama/inference.h"
#include <math.h>

/* Not called: profiling is off. */
void console_puts(const char *string) {
    (void)string;
}
void console_printf(const char *format, ...) {
    (void)format;
}

#define MAX_WIDTH 128
#define MAX_POSITIONS 40
#define MAX_LAYERS 2

/* The same weights twice: as the matrices of model, and row after row. */
struct example {
    struct model model;
    double *embedding, *classifier, *query[MAX_LAYERS], *key[MAX_LAYERS], *value[MAX_LAYERS];
    double *attention_out[MAX_LAYERS], *gate[MAX_LAYERS], *up[MAX_LAYERS], *down[MAX_LAYERS];
};

static double random_number(void) {
    static uint32_t state = 2024;
    return (double)(int32_t)chance_next(&state) * 0x1p-31;
}

/* A tensor of random weights at row of the matrix; its rows in double precision are returned. */
static double *fill(struct matrix *matrix, uint32_t row, uint32_t rows) {
    size_t count = (size_t)rows * matrix->columns;
    double *weights = malloc(count * sizeof *weights);
    CHECK(weights);
    for (size_t i = 0; i < count; i++) {
        float weight = (float)random_number();
        int8_t integer = (int8_t)lrint(random_number() * 127.0);
        float scale = 0.01f;
        if (matrix->group) {
            matrix_store_q8(matrix, row, i, 1, &integer);
            if (i % matrix->group == 0)
                matrix_store_scales(matrix, row, i / matrix->group, 1, &scale);
        } else {
            matrix_store_f32(matrix, row, i, 1, &weight);
        }
        weights[i] = matrix->group ? (double)integer * scale : weight;
    }
    return weights;
}

static void fill_norm(float *norm, uint32_t size) {
    for (uint32_t i = 0; i < size; i++)
        norm[i] = 1.0f + 0.3f * (float)random_number();
}

static struct example make_example(struct model_config config) {
    struct example e = {.model.config = config};
    struct error error;
    CHECK(model_allocate(&e.model, &error));
    e.embedding = fill(&e.model.embedding, 0, config.vocabulary);
    e.classifier =
        config.shared_classifier ? e.embedding : fill(&e.model.classifier, 0, config.vocabulary);
    for (uint32_t i = 0; i < config.layers; i++) {
        struct layer *layer = &e.model.layer[i];
        uint32_t kv_dim = model_kv_dim(&config);
        e.query[i] = fill(&layer->qkv, 0, config.dim);
        e.key[i] = fill(&layer->qkv, model_key_row(&config), kv_dim);
        e.value[i] = fill(&layer->qkv, model_value_row(&config), kv_dim);
        e.attention_out[i] = fill(&layer->attention_out, 0, config.dim);
        e.gate[i] = fill(&layer->gate_up, 0, config.hidden_dim);
        e.up[i] = fill(&layer->gate_up, model_up_row(&config), config.hidden_dim);
        e.down[i] = fill(&layer->down, 0, config.dim);
        fill_norm(layer->attention_norm, config.dim);
        fill_norm(layer->ffn_norm, config.dim);
    }
    fill_norm(e.model.final_norm, config.dim);
    return e;
}

static void free_example(struct example *e) {
    free(e->embedding);
    if (e->classifier != e->embedding)
        free(e->classifier);
    for (uint32_t i = 0; i < e->model.config.layers; i++) {
        free(e->query[i]);
        free(e->key[i]);
        free(e->value[i]);
        free(e->attention_out[i]);
        free(e->gate[i]);
        free(e->up[i]);
        free(e->down[i]);
    }
    model_free(&e->model);
}

/* ---- The reference ---- */

static double keys[MAX_LAYERS][MAX_POSITIONS][MAX_WIDTH];
static double values[MAX_LAYERS][MAX_POSITIONS][MAX_WIDTH];

/* What is left of x after quantisation to int8, in groups of group; all of it when that is 0. */
static double quantised(const double *x, uint32_t index, uint32_t group) {
    if (group == 0)
        return x[index];
    double largest = 0.0;
    for (uint32_t i = index / group * group; i < (index / group + 1) * group; i++)
        largest = fmax(largest, fabs(x[i]));
    return largest > 0.0 ? round(x[index] / largest * 127.0) * largest / 127.0 : 0.0;
}

static void multiply(double *y, const double *w, const double *x, uint32_t rows, uint32_t columns,
                     uint32_t group) {
    double input[MAX_WIDTH];
    for (uint32_t j = 0; j < columns; j++)
        input[j] = quantised(x, j, group);
    for (uint32_t i = 0; i < rows; i++) {
        y[i] = 0.0;
        for (uint32_t j = 0; j < columns; j++)
            y[i] += w[(size_t)i * columns + j] * input[j];
    }
}

static void normalise(double *out, const double *x, const float *weight, uint32_t size) {
    double squares = 0.0;
    for (uint32_t i = 0; i < size; i++)
        squares += x[i] * x[i];
    for (uint32_t i = 0; i < size; i++)
        out[i] = weight[i] * x[i] / sqrt(squares / size + 1e-5);
}

static void turn(double *x, uint32_t heads, uint32_t head_size, uint32_t position) {
    for (uint32_t i = 0; i < heads * head_size; i += 2) {
        double angle = position * pow(10000.0, -(double)(i % head_size) / head_size);
        double a = x[i], b = x[i + 1];
        x[i] = a * cos(angle) - b * sin(angle);
        x[i + 1] = a * sin(angle) + b * cos(angle);
    }
}

static void attend_exactly(double *out, const double *query, const struct model_config *c,
                           uint32_t layer, uint32_t position) {
    uint32_t head_size = model_head_size(c);
    for (uint32_t head = 0; head < c->heads; head++, query += head_size, out += head_size) {
        uint32_t first = head / (c->heads / c->kv_heads) * head_size;
        double total = 0.0;
        memset(out, 0, head_size * sizeof *out);
        for (uint32_t p = 0; p <= position; p++) {
            double score = 0.0;
            for (uint32_t i = 0; i < head_size; i++)
                score += query[i] * keys[layer][p][first + i];
            double weight = exp(score / sqrt(head_size));
            total += weight;
            for (uint32_t i = 0; i < head_size; i++)
                out[i] += weight * values[layer][p][first + i];
        }
        for (uint32_t i = 0; i < head_size; i++)
            out[i] /= total;
    }
}

static void forward(double *logits, const struct example *e, uint32_t token, uint32_t position) {
    const struct model_config *c = &e->model.config;
    double x[MAX_WIDTH], normed[MAX_WIDTH], a[MAX_WIDTH], b[MAX_WIDTH];
    for (uint32_t i = 0; i < c->dim; i++)
        x[i] = e->embedding[(size_t)token * c->dim + i];
    for (uint32_t l = 0; l < c->layers; l++) {
        normalise(normed, x, e->model.layer[l].attention_norm, c->dim);
        multiply(a, e->query[l], normed, c->dim, c->dim, c->group);
        multiply(keys[l][position], e->key[l], normed, model_kv_dim(c), c->dim, c->group);
        multiply(values[l][position], e->value[l], normed, model_kv_dim(c), c->dim, c->group);
        turn(a, c->heads, model_head_size(c), position);
        turn(keys[l][position], c->kv_heads, model_head_size(c), position);
        attend_exactly(b, a, c, l, position);
        multiply(a, e->attention_out[l], b, c->dim, c->dim, c->group);
        for (uint32_t i = 0; i < c->dim; i++)
            x[i] += a[i];
        normalise(normed, x, e->model.layer[l].ffn_norm, c->dim);
        multiply(a, e->gate[l], normed, c->hidden_dim, c->dim, c->group);
        multiply(b, e->up[l], normed, c->hidden_dim, c->dim, c->group);
        for (uint32_t i = 0; i < c->hidden_dim; i++)
            a[i] = a[i] / (1.0 + exp(-a[i])) * b[i];
        multiply(normed, e->down[l], a, c->dim, c->hidden_dim, c->group);
        for (uint32_t i = 0; i < c->dim; i++)
            x[i] += normed[i];
    }
    normalise(normed, x, e->model.final_norm, c->dim);
    multiply(logits, e->classifier, normed, c->vocabulary, c->dim, c->group);
}

/* ---- The comparison ---- */

/* The relative difference of the logits, in their norm, stays below bound at every position. */
static void test_config(struct model_config config, double bound) {
    struct example e = make_example(config);
    struct inference inference;
    struct error error;
    CHECK(inference_init(&inference, &e.model, &kernels_sse2, MAX_POSITIONS, KV_F32, &error));
    for (uint32_t position = 0; position < MAX_POSITIONS; position++) {
        uint32_t token = position * 7 % config.vocabulary;
        double expected[MAX_WIDTH], difference = 0.0, size = 0.0;
        forward(expected, &e, token, position);
        inference_forward(&inference, &token, 1, position);
        inference_classify(&inference, 0);
        for (uint32_t i = 0; i < config.vocabulary; i++) {
            difference += pow(inference.logits[i] - expected[i], 2);
            size += pow(expected[i], 2);
        }
        CHECK(sqrt(difference / size) < bound);
    }
    inference_free(&inference);
    free_example(&e);
}

/* ---- Batches ---- */

static struct inference start(const struct example *e, const struct kernels *kernels,
                              enum kv_type kv) {
    struct inference inference;
    struct error error;
    CHECK(inference_init(&inference, &e->model, kernels, MAX_POSITIONS, kv, &error));
    return inference;
}

/* Batches of size, and a last one of what is left, give the bits that one token after the other
 * gives: the logits of every position, and all that is in the caches. */
static void test_batch(const struct example *e, const struct kernels *kernels, uint32_t size,
                       enum kv_type kv) {
    struct inference single = start(e, kernels, kv), batched = start(e, kernels, kv);
    const struct model_config *c = &e->model.config;
    uint32_t tokens[MAX_POSITIONS];
    for (uint32_t i = 0; i < MAX_POSITIONS; i++)
        tokens[i] = i * 7 % c->vocabulary;
    for (uint32_t first = 0; first < MAX_POSITIONS; first += size) {
        uint32_t left = MAX_POSITIONS - first, count = left < size ? left : size;
        inference_forward(&batched, tokens + first, count, first);
        for (uint32_t i = 0; i < count; i++) {
            inference_forward(&single, tokens + first + i, 1, first + i);
            inference_classify(&single, 0);
            inference_classify(&batched, i);
            CHECK(memcmp(single.logits, batched.logits, c->vocabulary * sizeof(float)) == 0);
        }
    }
    size_t bytes = kv_cache_bytes(&single.cache) / c->layers;
    for (uint32_t l = 0; l < c->layers; l++)
        CHECK(memcmp(single.cache.layers[l], batched.cache.layers[l], bytes) == 0);
    inference_free(&single);
    inference_free(&batched);
}

static bool usable(const struct kernels *kernels) {
    if (kernels == &kernels_avx2)
        return __builtin_cpu_supports("avx2");
    return kernels == &kernels_sse2 ||
           (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
            __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
            __builtin_cpu_supports("avx512vnni"));
}

static void test_batches(struct model_config config, enum kv_type kv) {
    static const struct kernels *const widths[] = {&kernels_sse2, &kernels_avx2, &kernels_avx512};
    static const uint32_t sizes[] = {2, 3, 4, 5, 7, INFERENCE_BATCH - 1, INFERENCE_BATCH};
    struct example e = make_example(config);
    for (size_t k = 0; k < sizeof widths / sizeof *widths; k++)
        for (size_t i = 0; usable(widths[k]) && i < sizeof sizes / sizeof *sizes; i++)
            test_batch(&e, widths[k], sizes[i], kv);
    free_example(&e);
}

int main(void) {
    struct model_config grouped = {.dim = 64,
                                   .hidden_dim = 86,
                                   .layers = 2,
                                   .heads = 8,
                                   .kv_heads = 4,
                                   .vocabulary = 100,
                                   .context = 64,
                                   .shared_classifier = true};
    struct model_config odd = {.dim = 36,
                               .hidden_dim = 50,
                               .layers = 1,
                               .heads = 3,
                               .kv_heads = 1,
                               .vocabulary = 37,
                               .context = 64};
    struct model_config single = {.dim = 18,
                                  .hidden_dim = 7,
                                  .layers = 2,
                                  .heads = 1,
                                  .kv_heads = 1,
                                  .vocabulary = 3,
                                  .context = 64};
    struct model_config int8 = {.dim = 64,
                                .hidden_dim = 96,
                                .layers = 2,
                                .heads = 4,
                                .kv_heads = 2,
                                .vocabulary = 100,
                                .context = 64,
                                .group = 32};
    struct model_config int8_odd = {.dim = 36,
                                    .hidden_dim = 42,
                                    .layers = 2,
                                    .heads = 3,
                                    .kv_heads = 3,
                                    .vocabulary = 37,
                                    .context = 64,
                                    .group = 6};
    test_config(grouped, 2e-5);
    test_config(odd, 2e-5);
    test_config(single, 2e-5);
    /* Where an activation lies between two integers, the two may round differently. */
    test_config(int8, 1e-3);
    test_config(int8_odd, 1e-3);
    test_batches(grouped, KV_F32);
    test_batches(odd, KV_F32);
    test_batches(single, KV_F32);
    test_batches(int8, KV_F32);
    test_batches(int8_odd, KV_F32);
    test_batches(grouped, KV_F16);
    test_batches(grouped, KV_Q8);
    grouped.window = 5;
    grouped.global_every = 2;
    test_batches(grouped, KV_F32);
    test_batches(grouped, KV_Q8);
    puts("inference: passed");
}
