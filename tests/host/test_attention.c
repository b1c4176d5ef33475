// sources: tinyllama/kernels/kernels.c tinyllama/kv_cache.c tinyllama/attention.c
// sources: kernel_lib/error.c tests/host/memory_file.c
// sources: kernel_lib/io/format.c
/*
 * Attention and the KV cache: against attention in double precision, for every type of the cache's
 * numbers, with a window and without. Every vector width, and every way to divide the positions
 * into batches, gives the same bits.
 */
#include "chance.h"
#include "check.h"
#include "kernel_widths.h"
#include "tinyllama/kv_cache.h"
#include <math.h>

enum { POSITIONS = 100, LAYERS = 2, KV_HEADS = 2, MOST_QUERIES = 8, MOST_SIZE = 128, BATCH = 16 };

/* What a model would have computed: layer 0 is local, if there is a window, layer 1 global. */
struct example {
    struct model_config config;
    float keys[LAYERS][POSITIONS][KV_HEADS * MOST_SIZE];
    float values[LAYERS][POSITIONS][KV_HEADS * MOST_SIZE];
    float queries[LAYERS][POSITIONS][KV_HEADS * MOST_QUERIES * MOST_SIZE];
};

typedef float results[LAYERS][POSITIONS][KV_HEADS * MOST_QUERIES * MOST_SIZE];

static float random_float(void) {
    static uint32_t state = 99;
    return (float)(int32_t)chance_next(&state) * 0x1p-31f;
}

static struct example *make_example(uint32_t queries, uint32_t head_size, uint32_t window) {
    struct example *e = calloc(1, sizeof *e);
    CHECK(e);
    e->config = (struct model_config){.layers = LAYERS,
                                      .heads = KV_HEADS * queries,
                                      .kv_heads = KV_HEADS,
                                      .head_size = head_size,
                                      .window = window,
                                      .global_every = 2};
    float *const numbers[] = {e->keys[0][0], e->values[0][0], e->queries[0][0]};
    const size_t sizes[] = {sizeof e->keys, sizeof e->values, sizeof e->queries};
    for (int i = 0; i < 3; i++)
        for (size_t j = 0; j < sizes[i] / sizeof(float); j++)
            numbers[i][j] = random_float();
    return e;
}

static uint32_t queries_of(const struct example *e) {
    return e->config.heads / KV_HEADS;
}

/* The attention of one head at one position, in double precision. */
static void attend_exactly(double *out, const struct example *e, uint32_t layer, uint32_t head,
                           uint32_t position) {
    uint32_t size = e->config.head_size, first = head / queries_of(e) * size, begin = 0;
    const float *query = e->queries[layer][position] + head * size;
    double total = 0.0;
    if (layer == 0 && e->config.window && position >= e->config.window)
        begin = position + 1 - e->config.window;
    memset(out, 0, size * sizeof *out);
    for (uint32_t p = begin; p <= position; p++) {
        double score = 0.0;
        for (uint32_t i = 0; i < size; i++)
            score += (double)query[i] * e->keys[layer][p][first + i];
        double weight = exp2(score);
        total += weight;
        for (uint32_t i = 0; i < size; i++)
            out[i] += weight * e->values[layer][p][first + i];
    }
    for (uint32_t i = 0; i < size; i++)
        out[i] /= total;
}

/* ---- With the cache and the kernels ---- */

static struct attention allocate_memory(const struct example *e, uint32_t batch) {
    uint32_t size = e->config.head_size, stride = attention_value_stride(size);
    size_t rows = (size_t)batch * queries_of(e);
    struct attention a = {.out_stride = KV_HEADS * MOST_QUERIES * MOST_SIZE};
    a.scores = malloc(rows * (POSITIONS + ATTENTION_BLOCK) * sizeof(float));
    a.weights = malloc(rows * sizeof(float));
    a.sums = malloc(rows * attention_row_sums(size) * sizeof(float));
    a.unpacked = malloc((ATTENTION_RUN * ATTENTION_BLOCK * stride + 8) * sizeof(float));
    CHECK(a.scores && a.weights && a.sums && a.unpacked);
    return a;
}

static void attend_batch(results out, const struct example *e, const struct kv_cache *cache,
                         const struct kernels *kernels, struct attention a) {
    uint32_t size = e->config.head_size, queries = queries_of(e);
    float *query = malloc(a.count * queries * size * sizeof *query);
    CHECK(query);
    for (uint32_t layer = 0; layer < LAYERS; layer++)
        for (uint32_t head = 0; head < KV_HEADS; head++) {
            for (uint32_t i = 0; i < a.count; i++)
                memcpy(query + i * queries * size,
                       e->queries[layer][a.first + i] + head * queries * size,
                       queries * size * sizeof *query);
            kv_cache_find(cache, layer, head, &a);
            a.window = layer == 0 ? e->config.window : 0;
            a.query = query;
            a.out = out[layer][a.first] + head * queries * size;
            attend(&a, kernels, size, queries);
        }
    free(query);
}

static void run(results out, const struct example *e, const struct kernels *kernels,
                enum kv_type type, uint32_t batch) {
    struct kv_cache cache;
    struct arena arena = {0};
    struct error error;
    kv_cache_init(&cache, &e->config, type, POSITIONS, batch);
    kv_cache_take(&cache, &arena);
    CHECK(arena.used >= kv_cache_bytes(&cache));
    CHECK(arena_allocate(&arena, "the cache", &error));
    kv_cache_take(&cache, &arena);
    struct attention a = allocate_memory(e, batch);
    memset(out, 0, sizeof(results));
    for (; a.first < POSITIONS; a.first += batch) {
        a.count = POSITIONS - a.first < batch ? POSITIONS - a.first : batch;
        for (uint32_t layer = 0; layer < LAYERS; layer++)
            for (uint32_t p = a.first; p < a.first + a.count; p++)
                kv_cache_store(&cache, layer, p, e->keys[layer][p], e->values[layer][p]);
        attend_batch(out, e, &cache, kernels, a);
    }
    free(a.scores);
    free(a.weights);
    free(a.sums);
    free(a.unpacked);
    free(arena.memory);
}

/* Values lie between -1 and 1. */
static const double bounds[KV_TYPES] = {[KV_F32] = 2e-5, [KV_F16] = 2e-3, [KV_Q8] = 2e-2};

static void check_errors(results found, const struct example *e, enum kv_type type) {
    double exact[MOST_SIZE], worst = 0.0;
    for (uint32_t layer = 0; layer < LAYERS; layer++)
        for (uint32_t p = 0; p < POSITIONS; p++)
            for (uint32_t head = 0; head < e->config.heads; head++) {
                attend_exactly(exact, e, layer, head, p);
                for (uint32_t i = 0; i < e->config.head_size; i++)
                    worst = fmax(worst,
                                 fabs(found[layer][p][head * e->config.head_size + i] - exact[i]));
            }
    CHECK(worst < bounds[type]);
    CHECK(type == KV_F32 || worst > bounds[KV_F32]); /* it is another type */
}

static void test_type(const struct example *e, enum kv_type type) {
    static const uint32_t batches[] = {1, 2, 3, 7, BATCH};
    static results first, other;
    run(first, e, all_kernels[0], type, 1);
    check_errors(first, e, type);
    for (size_t k = 0; k < WIDTHS; k++)
        for (size_t i = 0; usable(all_kernels[k]) && i < sizeof batches / sizeof *batches; i++) {
            run(other, e, all_kernels[k], type, batches[i]);
            CHECK(memcmp(first, other, sizeof first) == 0);
        }
}

static void test(uint32_t queries, uint32_t head_size, uint32_t window) {
    struct example *e = make_example(queries, head_size, window);
    for (int type = 0; type < KV_TYPES; type++)
        test_type(e, (enum kv_type)type);
    free(e);
}

/* ---- The cache alone ---- */

/* Local layers keep the window and a batch, and say what they have lost. */
static void test_window_memory(void) {
    struct model_config config = {
        .layers = 6, .heads = 4, .kv_heads = 1, .head_size = 64, .window = 512, .global_every = 6};
    struct kv_cache all, local;
    struct arena arena = {0};
    struct error error;
    kv_cache_init(&local, &config, KV_F32, 4096, BATCH);
    /* 512 + 15 positions are in at most 34 blocks: one global layer, five local ones. */
    CHECK(kv_cache_bytes(&local) == (4096 + 5 * 34 * 16) * 2 * 64 * 4);
    config.window = 0;
    kv_cache_init(&all, &config, KV_F32, 4096, BATCH);
    CHECK(kv_cache_bytes(&all) == 6 * 4096 * 2 * 64 * 4);
    config.window = 512;
    kv_cache_take(&local, &arena);
    CHECK(arena_allocate(&arena, "the cache", &error));
    kv_cache_take(&local, &arena);
    float numbers[64] = {0};
    CHECK(kv_cache_has(&local, 0) && !kv_cache_has(&local, 1));
    for (uint32_t p = 0; p < 600; p++)
        kv_cache_store(&local, 0, p, numbers, numbers);
    /* 34 blocks: 544 positions in blocks up to position 607, the oldest 64. */
    CHECK(kv_cache_has(&local, 0) && kv_cache_has(&local, 600) && !kv_cache_has(&local, 601));
    CHECK(kv_cache_has(&local, 575) && !kv_cache_has(&local, 574) && !kv_cache_has(&local, 100));
    kv_cache_store(&local, 0, 0, numbers, numbers);
    CHECK(kv_cache_has(&local, 1) && !kv_cache_has(&local, 600));
    free(arena.memory);
}

/* Of each type, numbers that it has exactly; what is too large for binary16 is its largest. */
static void test_numbers(void) {
    static const struct {
        float given, kept[KV_TYPES];
    } cases[] = {{1.0f, {1.0f, 1.0f, 1.0f}},
                 {-0.25f, {-0.25f, -0.25f, -0.25f}},
                 {65519.0f, {65519.0f, 65504.0f, 65519.0f}},
                 {1e6f, {1e6f, 65504.0f, 1e6f}},
                 {-1e6f, {-1e6f, -65504.0f, -1e6f}},
                 {0x1p-24f, {0x1p-24f, 0x1p-24f, 0x1p-24f}},
                 {0x3p-25f, {0x3p-25f, 0x1p-23f, 0x3p-25f}}, /* a half, to even */
                 {0x1.004p0f, {0x1.004p0f, 0x1.004p0f, 0x1.004p0f}},
                 {0x1.002p0f, {0x1.002p0f, 1.0f, 0x1.002p0f}},
                 {0x1.006p0f, {0x1.006p0f, 0x1.008p0f, 0x1.006p0f}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int type = 0; type < KV_TYPES; type++) {
            struct example *e = make_example(1, 8, 0);
            static results out;
            for (uint32_t j = 0; j < KV_HEADS * 8; j++)
                e->values[1][0][j] = j == 0 ? cases[i].given : 0.0f;
            run(out, e, all_kernels[0], (enum kv_type)type, 1);
            /* Position 0 attends only to itself. An int8's scale is a rounded 127th. */
            float kept = cases[i].kept[type], error = fabsf(out[1][0][0] - kept);
            CHECK(error <= (type == KV_Q8 ? fabsf(kept) * 2e-7f : 0.0f));
            free(e);
        }
}

int main(void) {
    for (size_t k = 0; k < WIDTHS; k++)
        printf("%s: %s\n", all_kernels[k]->name,
               usable(all_kernels[k]) ? "tested" : "this CPU cannot run it");
    static const uint32_t sizes[] = {2, 8, 12, 24, 64, MOST_SIZE};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        test(1, sizes[i], 0);
        test(i + 2, sizes[i], 33);
    }
    test(MOST_QUERIES, 16, 1);
    test(4, 16, POSITIONS);
    test_window_memory();
    test_numbers();
    puts("attention: passed");
}
