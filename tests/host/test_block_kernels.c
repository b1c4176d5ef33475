// sources: tinyllama/kernels/kernels.c tinyllama/kernels/matrix.c tinyllama/kernels/elementwise.c
// sources: tinyllama/kernels/weight_types.c tinyllama/kernels/block_product.c
/*
 * What only GGUF's models use of the kernels: products with rows of blocks of every type, GeGLU,
 * capped logits. Every width gives the same bits, near the result in double
 * precision.
 */
#include "chance.h"
#include "check.h"
#include "kernel_widths.h"
#include "tinyllama/kernels/block_product.h"
#include "tinyllama/kernels/elementwise.h"
#include <math.h>
#include <string.h>

enum {
    ROWS = 48,      /* a panel of 32, and one of 16 */
    POSITIONS = 21, /* two tiles of the widest kernels, and what is left */
    MOST_COLUMNS = 544,
    LARGEST_ROW = 4 * MOST_COLUMNS,
    OUT_STRIDE = ROWS + 1,
};

static uint32_t random_bits(void) {
    static uint32_t state = 777;
    return chance_next(&state) >> 8;
}
/* From -1 to 1. */
static float random_float(void) {
    return (float)random_bits() * 0x1p-23f - 1.0f;
}

static _Alignas(64) uint8_t panels[ROWS * LARGEST_ROW];
static _Alignas(64) float inputs[POSITIONS * MOST_COLUMNS];

/* Memory for activations. */
static struct {
    _Alignas(64) float scales[POSITIONS * MOST_COLUMNS / 16];
    int32_t all[POSITIONS * MOST_COLUMNS / 4], even[POSITIONS * MOST_COLUMNS / 4];
    int32_t odd[POSITIONS * MOST_COLUMNS / 4], pairs[POSITIONS * MOST_COLUMNS / 16];
    int16_t sums[POSITIONS * MOST_COLUMNS / 16];
} memory;
static const struct rounded rounded = {
    memory.scales, {memory.all, memory.even, memory.odd}, memory.pairs, memory.sums};

/* out[position][OUT_STRIDE] = W from[position][columns] */
static void multiply(const struct kernels *k, float *out, const struct matrix *w, const float *from,
                     uint32_t count) {
    if (w->type->columns == 1) {
        multiply_halves(k, out, OUT_STRIDE, w, from, w->columns, count);
        return;
    }
    round_positions(k, &rounded, from, w->columns, count, w->columns,
                    rounded_group(w->type->columns));
    multiply_blocks(k, out, OUT_STRIDE, w, &rounded, count);
}

/* Any bytes are blocks of every type, but the scales, which are binary16, must be finite. */
static void set_scales(const struct weight_type *type, uint8_t *bytes, size_t size) {
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
    for (size_t block = 0; block < size; block += type->bytes)
        for (int i = 0; i < 2 && at[i] >= 0; i++) /* from 2^-8 to 2^-6 */
            bytes[block + (size_t)at[i] + 1] =
                (uint8_t)(strcmp(type->name, "BF16") == 0 ? 0x3C : 0x1C + random_bits() % 8);
}

static void make_blocks(const struct weight_type *type, uint8_t *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_bits();
    set_scales(type, bytes, size);
}

/* The product with a row in double precision, and the sum of its products' magnitudes. */
static double exact(const float *row, const float *from, uint32_t columns, double *magnitude) {
    double sum = 0.0;
    *magnitude = 0.0;
    for (uint32_t i = 0; i < columns; i++) {
        sum += (double)row[i] * from[i];
        *magnitude += fabs((double)row[i] * from[i]);
    }
    return sum;
}

/* A matrix of random blocks, which are stored backwards. */
static struct matrix make_matrix(const struct weight_type *type, uint32_t columns) {
    static uint8_t blocks[LARGEST_ROW];
    struct matrix w = {.rows = ROWS, .columns = columns, .type = type, .data = panels};
    size_t row_bytes = matrix_row_bytes(&w);
    CHECK(row_bytes <= LARGEST_ROW);
    for (uint32_t row = ROWS; row-- > 0;) {
        make_blocks(type, blocks, row_bytes);
        matrix_store_blocks(&w, row, blocks);
    }
    return w;
}

/* Every width gives the same bits for a batch, and they are those of its positions one by one. */
static void test_type(uint32_t number, uint32_t columns) {
    static float y[POSITIONS * OUT_STRIDE], again[POSITIONS * OUT_STRIDE], row[MOST_COLUMNS];
    const struct weight_type *type = weight_type_find(number);
    CHECK(type && !weight_is_float32(type));
    struct matrix w = make_matrix(type, columns);
    for (uint32_t i = 0; i < POSITIONS * columns; i++)
        inputs[i] = random_float();
    multiply(all_kernels[0], y, &w, inputs, POSITIONS);
    for (size_t k = 0; k < WIDTHS; k++) {
        if (!usable(all_kernels[k]))
            continue;
        memset(again, 0, sizeof again);
        multiply(all_kernels[k], again, &w, inputs, POSITIONS);
        CHECK(memcmp(y, again, sizeof y) == 0);
        for (uint32_t p = 0; p < POSITIONS; p++) {
            multiply(all_kernels[k], again, &w, inputs + p * columns, 1);
            CHECK(memcmp(y + p * OUT_STRIDE, again, ROWS * sizeof *y) == 0);
        }
    }
    for (uint32_t i = 0; i < ROWS; i++) {
        block_row(&w, i, row);
        for (uint32_t p = 0; p < POSITIONS; p++) {
            double magnitude, expected = exact(row, inputs + p * columns, columns, &magnitude);
            double bound = (type->columns == 1 ? 1e-6 : 2e-3) * magnitude;
            CHECK(fabs(y[p * OUT_STRIDE + i] - expected) <= bound);
        }
    }
    for (uint32_t p = 0; p < POSITIONS; p++)
        CHECK(y[p * OUT_STRIDE + ROWS] == 0.0f); /* not written */
}

/* The largest integers: weights, scales and minima of all bits set, or only the sign's, with
 * activations that are all the largest. Sums of 16 bits hold them. */
static void test_extremes(uint32_t number) {
    static const uint8_t patterns[] = {0x00, 0xFF, 0x80, 0x7F};
    static float y[WIDTHS][OUT_STRIDE], row[MOST_COLUMNS];
    const struct weight_type *type = weight_type_find(number);
    const uint32_t columns = 256;
    struct matrix w = {.rows = 16, .columns = columns, .type = type, .data = panels};
    for (uint32_t i = 0; i < 4 * 4; i++) {
        uint8_t blocks[LARGEST_ROW];
        memset(blocks, patterns[i % 4], matrix_row_bytes(&w));
        set_scales(type, blocks, matrix_row_bytes(&w));
        for (uint32_t r = 0; r < w.rows; r++)
            matrix_store_blocks(&w, r, blocks);
        for (uint32_t j = 0; j < columns; j++)
            inputs[j] = (i / 4 & 1 ? -1.0f : 1.0f) * (i / 4 & 2 && j % 2 ? -1.0f : 1.0f);
        for (size_t k = 0; k < WIDTHS; k++)
            if (usable(all_kernels[k])) {
                multiply(all_kernels[k], y[k], &w, inputs, 1);
                CHECK(memcmp(y[k], y[0], 16 * sizeof(float)) == 0);
            }
        double magnitude, expected;
        block_row(&w, 0, row);
        expected = exact(row, inputs, columns, &magnitude);
        CHECK(fabs(y[0][0] - expected) <= 1e-5 * magnitude);
    }
}

/* Rounding stays within half a step of every element, also of extreme ones; no number overflows. */
static void test_rounding(const struct kernels *k) {
    static _Alignas(64) float from[128];
    const int8_t *values = (const int8_t *)memory.all;
    static const float sizes[] = {1.0f, 1e-30f, 1e30f, 0.0f};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        for (int i = 0; i < 128; i++)
            from[i] = random_float() * sizes[s];
        k->round_blocks(&rounded, from, 128, 128);
        for (int i = 0; i < 128; i++) {
            int16_t pair[2];
            memcpy(pair, (i % 2 ? memory.odd : memory.even) + i / 4, sizeof pair);
            CHECK(values[i] >= -127 && values[i] == pair[i % 4 / 2]);
            CHECK(fabsf((float)values[i] * *memory.scales - from[i]) <= 0.5001f * *memory.scales);
        }
        for (int part = 0; part < 8; part++) {
            int sums[2] = {0};
            for (int i = 0; i < 16; i++)
                sums[i % 4 / 2] += values[16 * part + i];
            CHECK(memory.sums[part] == sums[0] + sums[1]);
            int16_t pair[2];
            memcpy(pair, memory.pairs + part, sizeof pair);
            CHECK(pair[0] == sums[0] && pair[1] == sums[1]);
        }
    }
    static const float bad[] = {NAN, INFINITY, -INFINITY, 1e-45f, 3e38f};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        from[5] = bad[i];
        k->round_blocks(&rounded, from, 128, 32);
        for (int j = 0; j < 32; j++)
            CHECK(values[j] >= -127);
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
        for (uint32_t columns = 512; columns <= MOST_COLUMNS; columns += 32)
            if (columns % weight_type_find(numbers[i])->columns == 0) {
                test_type(numbers[i], columns);
                test_extremes(numbers[i]);
            }
    CHECK(!weight_type_find(9));
    test_halves();
    test_cap();
    for (size_t k = 0; k < sizeof all_kernels / sizeof *all_kernels; k++)
        if (usable(all_kernels[k])) {
            test_rounding(all_kernels[k]);
            test_geglu(all_kernels[k]);
        }
    puts("block kernels: passed");
}
