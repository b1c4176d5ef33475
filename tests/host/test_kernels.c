// sources: tinyllama/kernels/kernels.c tinyllama/kernels/matrix.c tinyllama/kernels/elementwise.c
// sources: tinyllama/kernels/weight_types.c
/*
 * The kernels of every vector width that this CPU has: the bits of plain loops in the promised
 * order, and near the result in double precision.
 */
#include "chance.h"
#include "check.h"
#include "kernel_widths.h"
#include "tinyllama/kernels/elementwise.h"
#include <math.h>
#include <string.h>

static void *allocate(size_t count, size_t size) {
    size_t bytes = (count * size + 63) / 64 * 64;
    void *memory = aligned_alloc(64, bytes ? bytes : 64);
    CHECK(memory);
    return memset(memory, 0, bytes);
}

/* From -1 to 1, of different magnitudes. */
static float random_float(void) {
    static uint32_t state = 12345;
    float value = (float)(int32_t)chance_next(&state) * 0x1p-31f;
    return state >> 8 & 1 ? value : value * 0x1p-6f;
}

/* ---- Matrices ---- */

struct example {
    uint32_t rows, columns; /* of the tensor; the matrix has the rows padded, from row 16 on */
    float *weights;         /* [rows][columns] */
    int8_t *integers;       /* the same for int8, and scales[rows][groups] */
    float *scales;
    struct matrix matrix;
    uint32_t x_stride;
    float *x; /* [POSITIONS][x_stride] */
};

#define FIRST_ROW MATRIX_BLOCK /* so that the tensor is not the whole matrix */
#define POSITIONS 9u           /* twice the widest tile, and one */

static struct example make_example(uint32_t rows, uint32_t columns, uint32_t group) {
    struct example e = {.rows = rows, .columns = columns};
    e.matrix = (struct matrix){
        .rows = FIRST_ROW + matrix_padded(rows), .columns = columns, .group = group};
    e.matrix.data = allocate(1, matrix_bytes(&e.matrix));
    size_t count = (size_t)rows * columns;
    e.weights = allocate(count, sizeof(float));
    e.integers = allocate(count, 1);
    e.scales = allocate(count, sizeof(float));
    e.x_stride = matrix_padded(columns) + MATRIX_BLOCK;
    e.x = allocate(POSITIONS * e.x_stride, sizeof(float));
    for (size_t i = 0; i < count; i++) {
        e.weights[i] = random_float();
        e.integers[i] = (int8_t)(i % 11 == 0 ? -128 : lrintf(random_float() * 127.0f));
        e.scales[i] = random_float();
    }
    for (uint32_t i = 0; i < POSITIONS * e.x_stride; i++)
        e.x[i] = random_float();
    return e;
}

static void free_example(struct example *e) {
    free(e->matrix.data);
    free(e->weights);
    free(e->integers);
    free(e->scales);
    free(e->x);
}

/* Stores count elements in pieces of uneven sizes. */
#define STORE_IN_PIECES(store, example, count, from)                                               \
    for (size_t first = 0, step = 1; first < (count); first += step, step = step * 3 + 1) {        \
        if (step > (count) - first)                                                                \
            step = (count) - first;                                                                \
        store(&(example)->matrix, FIRST_ROW, first, step, (from) + first);                         \
    }

static void check_rows(const struct example *e,
                       const float *expected_of_row(const struct example *, uint32_t)) {
    float *row = allocate(e->columns, sizeof(float));
    for (uint32_t i = 0; i < e->rows; i++) {
        matrix_row(&e->matrix, FIRST_ROW + i, row);
        CHECK(memcmp(row, expected_of_row(e, i), e->columns * sizeof(float)) == 0);
    }
    free(row);
}

static const float *row_f32(const struct example *e, uint32_t row) {
    return e->weights + (size_t)row * e->columns;
}

static const float *row_q8(const struct example *e, uint32_t row) {
    static float values[4096];
    uint32_t group = e->matrix.group, groups = e->columns / group;
    for (uint32_t i = 0; i < e->columns; i++)
        values[i] = (float)e->integers[(size_t)row * e->columns + i] *
                    e->scales[(size_t)row * groups + i / group];
    return values;
}

/* Multiplies 1, 2, ... POSITIONS positions at once, at every width: each position's results are the
 * bits of expected[position][row of the tensor], and the rows around the tensor, of zeros, give 0.
 * x is NULL for float32. */
static void check_products(const struct example *e, const struct quantized *x,
                           const float *expected) {
    for (size_t k = 0; k < WIDTHS; k++) {
        if (!usable(all_kernels[k]))
            continue;
        for (uint32_t count = 1; count <= POSITIONS; count++) {
            uint32_t rows = e->matrix.rows;
            float *out = allocate(count * rows, sizeof(float));
            memset(out, 0xFF, count * rows * sizeof(float));
            if (x)
                all_kernels[k]->matmul_q8(out, e->matrix.data, rows, e->columns, e->matrix.group, x,
                                          count);
            else
                all_kernels[k]->matmul_f32(out, e->matrix.data, rows, e->columns, e->x, e->x_stride,
                                           count);
            for (uint32_t i = 0; i < count * rows; i++) {
                uint32_t row = i % rows - FIRST_ROW; /* huge for those before the tensor */
                if (row < e->rows)
                    CHECK(memcmp(out + i, expected + i / rows * e->rows + row, sizeof *out) == 0);
                else if (!x)
                    CHECK(out[i] == 0.0f);
            }
            free(out);
        }
    }
}

static void test_f32(uint32_t rows, uint32_t columns) {
    struct example e = make_example(rows, columns, 0);
    size_t count = (size_t)rows * columns;
    STORE_IN_PIECES(matrix_store_f32, &e, count, e.weights);
    check_rows(&e, row_f32);
    float *expected = allocate(POSITIONS * rows, sizeof(float));
    for (uint32_t i = 0; i < POSITIONS * rows; i++) {
        const float *w = row_f32(&e, i % rows), *x = e.x + i / rows * e.x_stride;
        float sum = 0.0f;
        double exact = 0.0, magnitude = 0.0;
        for (uint32_t j = 0; j < columns; j++) {
            sum += w[j] * x[j];
            exact += (double)w[j] * x[j];
            magnitude += fabs((double)w[j] * x[j]);
        }
        CHECK(fabs(sum - exact) <= magnitude * (columns + 1) * 0x1p-24);
        expected[i] = sum;
    }
    check_products(&e, NULL, expected);
    free(expected);
    free_example(&e);
}

/* What quantize should make of one group. */
static float quantize_group(int32_t *values, const float *x, uint32_t group) {
    float largest = 0.0f;
    for (uint32_t i = 0; i < group; i++)
        largest = fmaxf(largest, fabsf(x[i]));
    float scale = largest / 127.0f;
    for (uint32_t i = 0; i < group; i++)
        values[i] = scale > 0.0f ? (int32_t)roundf(x[i] / scale) : 0;
    return scale;
}

/* The largest products: weights of -128 in every second row and 127 in the others, activations of
 * 127 at every second position and -127 at the others. */
static void make_extreme(struct example *e) {
    for (uint32_t i = 0; i < e->rows * e->columns; i++)
        e->integers[i] = i / e->columns % 2 ? 127 : -128;
    for (uint32_t i = 0; i < POSITIONS * e->x_stride; i++)
        e->x[i] = i / e->x_stride % 2 ? -1.0f : 1.0f;
}

static void test_q8(uint32_t rows, uint32_t columns, uint32_t group, bool extreme) {
    struct example e = make_example(rows, columns, group);
    if (extreme)
        make_extreme(&e);
    size_t count = (size_t)rows * columns;
    uint32_t groups = columns / group;
    STORE_IN_PIECES(matrix_store_q8, &e, count, e.integers);
    STORE_IN_PIECES(matrix_store_scales, &e, (size_t)rows * groups, e.scales);
    check_rows(&e, row_q8);
    if (groups > 1) /* a group of zeros */
        memset(e.x, 0, group * sizeof(float));
    uint32_t chunks = matrix_group_chunks(group);
    struct quantized x = {
        .scales = allocate(POSITIONS * groups, sizeof(float)),
        .start = allocate(POSITIONS * groups, sizeof(int32_t)),
        .chunks = {allocate(POSITIONS * groups * chunks + QUANTIZED_ROOM, sizeof(int32_t)),
                   allocate(POSITIONS * groups * chunks + QUANTIZED_ROOM, sizeof(int32_t)),
                   allocate(POSITIONS * groups * chunks + QUANTIZED_ROOM, sizeof(int32_t))},
    };
    float *expected = allocate(POSITIONS * rows, sizeof(float));
    for (uint32_t p = 0; p < POSITIONS; p++) {
        struct quantized position = quantized_at(&x, p, groups, chunks);
        all_kernels[0]->quantize(&position, e.x + p * e.x_stride, columns, group);
        for (uint32_t g = 0; g < groups; g++) {
            int32_t values[4096];
            float scale = quantize_group(values, e.x + p * e.x_stride + g * group, group);
            CHECK(scale == x.scales[p * groups + g]);
            for (uint32_t i = 0; i < rows; i++) {
                int32_t products = 0;
                for (uint32_t j = 0; j < group; j++)
                    products += values[j] * e.integers[(size_t)i * columns + g * group + j];
                expected[p * rows + i] +=
                    (float)products * e.scales[(size_t)i * groups + g] * scale;
            }
        }
    }
    check_products(&e, &x, expected);
    free(expected);
    free(x.scales);
    free(x.start);
    free(x.chunks.all);
    free(x.chunks.even);
    free(x.chunks.odd);
    free_example(&e);
}

static int16_t half(int32_t word, int which) {
    return (int16_t)((uint32_t)word >> 16 * which);
}

/* The values of all forms of a chunk. */
static void check_chunk(const struct chunks *chunks, size_t index, const int32_t expected[4]) {
    CHECK(half(chunks->even[index], 0) == expected[0] &&
          half(chunks->even[index], 1) == expected[2]);
    CHECK(half(chunks->odd[index], 0) == expected[1] && half(chunks->odd[index], 1) == expected[3]);
    for (int i = 0; i < 4; i++)
        CHECK((int8_t)((uint32_t)chunks->all[index] >> 8 * i) == expected[i]);
}

static void test_quantize(const struct kernels *k) {
    /* Scale 1: halves go away from zero, what is just below them towards it. */
    _Alignas(64) float x[16] = {127.0f, 0.5f,  -0.5f,        1.5f, 0x1.fffffep-2f, -2.5f,
                                126.5f, -0.0f, -126.499992f, 0.0f, 3.0f,           -127.0f};
    static const int32_t expected[12] = {127, 1, -1, 2, 0, -3, 127, 0, -126, 0, 3, -127};
    float scales[4];
    int32_t start[4];
    int32_t all[8], even[8], odd[8];
    struct quantized q = {scales, start, {all, even, odd}};
    k->quantize(&q, x, 12, 12);
    CHECK(scales[0] == 1.0f);
    for (int i = 0; i < 3; i++)
        check_chunk(&q.chunks, i, expected + 4 * i);
    CHECK(start[0] == -128 * (127 + 1 - 1 + 2 + 0 - 3 + 127 + 0 - 126 + 0 + 3 - 127));

    /* Groups of 3: each is filled up to a chunk. */
    k->quantize(&q, (const float[]){0, 0, 0, 2.54f, -1.27f, 0.01f}, 6, 3);
    CHECK(scales[0] == 0.0f && scales[1] == 2.54f / 127.0f);
    check_chunk(&q.chunks, 0, (const int32_t[]){0, 0, 0, 0});
    check_chunk(&q.chunks, 1, (const int32_t[]){127, -64, 1, 0});

    /* A damaged model's activations stay within int8. */
    k->quantize(&q, (const float[]){NAN, INFINITY, -INFINITY, 1.0f, 200e-45f, -200e-45f, 0, 0}, 8,
                4);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 4; j++)
            CHECK(abs((int8_t)((uint32_t)all[i] >> 8 * j)) <= 127);
}

int main(void) {
    for (size_t k = 0; k < WIDTHS; k++) {
        printf("%s: %s\n", all_kernels[k]->name,
               usable(all_kernels[k]) ? "tested" : "this CPU cannot run it");
        if (usable(all_kernels[k]))
            test_quantize(all_kernels[k]);
    }
    static const uint32_t sizes[][2] = {{1, 1},   {16, 4},    {17, 3},   {48, 10},
                                        {64, 64}, {80, 5},    {172, 64}, {64, 172},
                                        {96, 43}, {130, 288}, {176, 7},  {512, 64}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        test_f32(sizes[i][0], sizes[i][1]);
    static const uint32_t q8_sizes[][3] = {
        {1, 1, 1},    {16, 4, 4},     {17, 6, 3},  {64, 64, 4},  {64, 172, 43}, {64, 172, 4},
        {80, 64, 64}, {130, 288, 32}, {48, 10, 2}, {172, 64, 8}, {33, 30, 5}};
    for (size_t i = 0; i < sizeof q8_sizes / sizeof *q8_sizes; i++)
        test_q8(q8_sizes[i][0], q8_sizes[i][1], q8_sizes[i][2], false);
    test_q8(48, 64, 64, true);
    puts("kernels: passed");
}
