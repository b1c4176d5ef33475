// sources: tinyllama/kernels/kernels.c tinyllama/kernels/matrix.c tinyllama/kernels/elementwise.c
// sources: tinyllama/kernels/weight_types.c tinyllama/kernels/block_product.c
/*
 * What only GGUF's models use of the kernels: products with rows of blocks of every type, GeGLU,
 * capped logits. Every width gives the same bits, near the result in double
 * precision.
 */
#include "check.h"
#include "kernel_widths.h"
#include "tinyllama/kernels/block_product.h"
#include "tinyllama/kernels/elementwise.h"
#include <math.h>
#include <string.h>

enum { COLUMNS = 512, ROWS = 16, POSITIONS = 3, LARGEST_ROW = 4 * COLUMNS };

static uint32_t random_bits(void) {
    static uint32_t state = 777;
    state = state * 1664525u + 1013904223u;
    return state >> 8;
}
/* From -1 to 1. */
static float random_float(void) {
    return (float)random_bits() * 0x1p-23f - 1.0f;
}

/* Memory as a product wants it, aligned. */
static struct {
    _Alignas(64) int16_t values[POSITIONS * COLUMNS], sums[POSITIONS * COLUMNS / WEIGHT_PART];
    _Alignas(64) float scales[POSITIONS * COLUMNS / WEIGHT_PART];
    _Alignas(64) int16_t weights[COLUMNS], mins[COLUMNS / WEIGHT_PART];
    _Alignas(64) float row_scales[COLUMNS / WEIGHT_PART], min_scales[COLUMNS / WEIGHT_PART];
    _Alignas(64) float row[COLUMNS];
} memory;

static struct block_product product_with(const struct kernels *kernels, const float *x) {
    return (struct block_product){
        .kernels = kernels,
        .x = x,
        .x_stride = COLUMNS,
        .count = POSITIONS,
        .rounded = {memory.values, memory.sums, memory.scales},
        .row = {memory.weights, memory.mins, memory.row_scales, memory.min_scales},
        .row_floats = memory.row,
    };
}

/* Any bytes are blocks of every type, but the scales, which are binary16, must be finite. */
static void make_blocks(const struct weight_type *type, uint8_t *bytes, size_t size) {
    static const struct {
        const char *name;
        int scales[2]; /* where in a block, or -1 */
    } places[] = {{"Q2_K", {80, 82}}, {"Q3_K", {108, -1}}, {"Q4_K", {0, 2}},
                  {"Q5_K", {0, 2}},   {"Q6_K", {208, -1}}, {"Q4_1", {0, 2}},
                  {"Q5_1", {0, 2}},   {"F16", {0, -1}},    {"BF16", {0, -1}}};
    int at[2] = {0, -1};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (strcmp(places[i].name, type->name) == 0)
            memcpy(at, places[i].scales, sizeof at);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_bits();
    for (size_t block = 0; block < size; block += type->bytes)
        for (int i = 0; i < 2 && at[i] >= 0; i++) /* from 2^-8 to 2^-6 */
            bytes[block + (size_t)at[i] + 1] =
                (uint8_t)(strcmp(type->name, "BF16") == 0 ? 0x3C : 0x1C + random_bits() % 8);
}

/* The product with a row in double precision, and the sum of its products' magnitudes. */
static double exact(const float *row, const float *x, double *magnitude) {
    double sum = 0.0;
    *magnitude = 0.0;
    for (uint32_t i = 0; i < COLUMNS; i++) {
        sum += (double)row[i] * x[i];
        *magnitude += fabs((double)row[i] * x[i]);
    }
    return sum;
}

static void test_type(uint32_t number) {
    static _Alignas(64) uint8_t blocks[ROWS * LARGEST_ROW];
    static _Alignas(64) float x[POSITIONS * COLUMNS], row[COLUMNS];
    float y[3][POSITIONS * (ROWS + 1)];
    const struct weight_type *type = weight_type_find(number);
    CHECK(type && !type->panels);
    struct matrix w = {.rows = ROWS, .columns = COLUMNS, .type = type, .data = blocks};
    size_t row_bytes = matrix_row_bytes(&w);
    CHECK(row_bytes <= LARGEST_ROW);
    make_blocks(type, blocks, ROWS * row_bytes);
    for (uint32_t i = 0; i < POSITIONS * COLUMNS; i++)
        x[i] = random_float();
    memset(y, 0, sizeof y);
    for (size_t k = 0; k < sizeof all_kernels / sizeof *all_kernels; k++) {
        if (!usable(all_kernels[k]))
            continue;
        struct block_product product = product_with(all_kernels[k], x);
        multiply_blocks(&product, y[k], ROWS + 1, &w);
        CHECK(memcmp(y[k], y[0], sizeof y[0]) == 0);
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        matrix_row(&w, i, row);
        for (uint32_t p = 0; p < POSITIONS; p++) {
            double magnitude, expected = exact(row, x + p * COLUMNS, &magnitude);
            double bound = (type->convert ? 1e-6 : 2e-3) * magnitude;
            CHECK(fabs(y[0][p * (ROWS + 1) + i] - expected) <= bound);
        }
    }
    for (uint32_t p = 0; p < POSITIONS; p++)
        CHECK(y[0][p * (ROWS + 1) + ROWS] == 0.0f); /* not written */
}

/* A batch gives the bits of its positions one by one. */
static void test_batch(void) {
    static _Alignas(64) uint8_t blocks[ROWS * LARGEST_ROW];
    static _Alignas(64) float x[POSITIONS * COLUMNS];
    float batch[POSITIONS * ROWS], single[ROWS];
    struct matrix w = {
        .rows = ROWS, .columns = COLUMNS, .type = weight_type_find(12), .data = blocks};
    make_blocks(w.type, blocks, ROWS * matrix_row_bytes(&w));
    for (uint32_t i = 0; i < POSITIONS * COLUMNS; i++)
        x[i] = random_float();
    struct block_product product = product_with(all_kernels[0], x);
    multiply_blocks(&product, batch, ROWS, &w);
    for (uint32_t p = 0; p < POSITIONS; p++) {
        product = product_with(all_kernels[0], x + p * COLUMNS);
        product.count = 1;
        multiply_blocks(&product, single, ROWS, &w);
        CHECK(memcmp(single, batch + p * ROWS, sizeof single) == 0);
    }
}

/* Rounding stays within half a step of every element, also of extreme ones; no number overflows. */
static void test_rounding(void) {
    static _Alignas(64) float x[128];
    int16_t values[128], sums[8];
    float scale[128 / 32];
    const struct rounded out = {values, sums, scale};
    static const float sizes[] = {1.0f, 1e-30f, 1e30f, 0.0f};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int i = 0; i < 128; i++)
            x[i] = random_float() * sizes[s];
        round_blocks(&out, x, 128, 128);
        for (int i = 0; i < 128; i++) {
            CHECK(values[i] >= -127 && values[i] <= 127);
            CHECK(fabsf((float)values[i] * *scale - x[i]) <= 0.5001f * *scale);
        }
        for (int part = 0; part < 8; part++) {
            int sum = 0;
            for (int i = 0; i < 16; i++)
                sum += values[16 * part + i];
            CHECK(sum == sums[part]);
        }
    }
    static const float bad[] = {NAN, INFINITY, -INFINITY, 1e-45f, 3e38f};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        x[5] = bad[i];
        round_blocks(&out, x, 128, 32);
        for (int j = 0; j < 32; j++)
            CHECK(values[j] >= -127 && values[j] <= 127);
    }
}

static void test_halves(void) {
    for (uint32_t half = 0; half < 0x10000; half++) {
        int exponent = (int)(half >> 10 & 31), fraction = (int)(half & 1023);
        double expected =
            exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
        float found = float_of_half((uint16_t)half);
        CHECK(!signbit(found) == !(half & 0x8000));
        if (exponent < 31)
            CHECK(fabsf(found) == (float)expected);
        else
            CHECK(fraction ? isnan(found) : isinf(found));
    }
}

static void test_geglu(const struct kernels *k) {
    _Alignas(64) float gate[16], up[16];
    for (int i = 0; i < 200; i++) {
        float g = (float)(i - 100) * 0.1f;
        for (int j = 0; j < 16; j++) {
            gate[j] = g + 0.001f * (float)j;
            up[j] = 2.0f;
        }
        k->geglu(gate, up, 16);
        for (int j = 0; j < 16; j++) {
            double v = g + 0.001f * (float)j;
            double expected = v * (1.0 + tanh(sqrt(2.0 / M_PI) * (v + 0.044715 * v * v * v)));
            CHECK(fabs(gate[j] - expected) <= 2e-6 * (fabs(v) + 1e-3));
        }
    }
}

static void test_cap(void) {
    _Alignas(64) float x[16] = {-1000.0f, -30.0f, -1.0f, 0.0f, 0.5f, 29.0f, 1e9f};
    float before[16];
    memcpy(before, x, sizeof x);
    cap(x, 7, 30.0f);
    for (int i = 0; i < 7; i++)
        CHECK(fabs(x[i] - 30.0 * tanh(before[i] / 30.0)) < 1e-5);
}

int main(void) {
    static const uint32_t numbers[] = {1, 2, 3, 6, 7, 8, 10, 11, 12, 13, 14, 20, 23, 30};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        test_type(numbers[i]);
    CHECK(!weight_type_find(9));
    test_batch();
    test_rounding();
    test_halves();
    test_cap();
    for (size_t k = 0; k < sizeof all_kernels / sizeof *all_kernels; k++)
        if (usable(all_kernels[k])) {
            test_geglu(all_kernels[k]);
        }
    puts("block kernels: passed");
}
