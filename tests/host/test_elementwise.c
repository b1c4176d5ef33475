// sources: tinyllama/elementwise.c
/* The small operations against plain ones in double precision. */
#include "check.h"
#include "tinyllama/elementwise.h"
#include <math.h>
#include <string.h>

#define MAX 320

static void fill(float *x, uint32_t size, uint32_t padded) {
    for (uint32_t i = 0; i < padded; i++)
        x[i] = i < size ? sinf((float)i * 1.7f) * (float)(1 + i % 5) : 0.0f;
}

static void test_rms_norm(uint32_t size) {
    _Alignas(64) float x[MAX], weight[MAX], out[MAX];
    fill(x, size, matrix_padded(size));
    fill(weight, size, matrix_padded(size));
    double squares = 0.0;
    for (uint32_t i = 0; i < size; i++)
        squares += (double)x[i] * x[i];
    double scale = 1.0 / sqrt(squares / size + 1e-5);
    rms_norm(out, x, weight, size);
    for (uint32_t i = 0; i < size; i++)
        CHECK(fabs(out[i] - weight[i] * scale * x[i]) <= 1e-6 * fabs((double)out[i]));
    for (uint32_t i = size; i < matrix_padded(size); i++)
        CHECK(out[i] == 0.0f);
    rms_norm(x, x, weight, size);
    CHECK(memcmp(x, out, size * sizeof(float)) == 0);
}

static void test_rotate(void) {
    _Alignas(64) float x[16], cosines[16], sines[16], before[16];
    fill(x, 16, 16);
    memcpy(before, x, sizeof x);
    for (int i = 0; i < 16; i += 2) {
        float angle = (float)i * 0.3f;
        cosines[i] = cosines[i + 1] = cosf(angle);
        sines[i] = -sinf(angle);
        sines[i + 1] = sinf(angle);
    }
    rotate(x, cosines, sines, 16);
    for (int i = 0; i < 16; i += 2) {
        double c = cos(i * 0.3), s = sin(i * 0.3);
        CHECK(fabs(x[i] - (before[i] * c - before[i + 1] * s)) < 1e-5);
        CHECK(fabs(x[i + 1] - (before[i] * s + before[i + 1] * c)) < 1e-5);
    }
}

static void test_add(void) {
    _Alignas(64) float x[32], y[32], before[32];
    fill(x, 32, 32);
    memcpy(before, x, sizeof x);
    for (int i = 0; i < 32; i++)
        y[i] = (float)i * 0.37f;
    add(x, y, 32);
    for (int i = 0; i < 32; i++)
        CHECK(x[i] == before[i] + y[i]);
}

static void test_argmax(void) {
    _Alignas(64) float x[48];
    for (uint32_t size = 1; size <= 40; size++)
        for (uint32_t best = 0; best < size; best++) {
            for (uint32_t i = 0; i < 48; i++)
                x[i] = i < size ? -100.0f - (float)i : 1e30f; /* what lies behind does not count */
            x[best] = -5.0f;
            CHECK(argmax(x, size) == best);
            x[size - 1] = -5.0f; /* an equal one later */
            CHECK(argmax(x, size) == best);
        }
    for (uint32_t i = 0; i < 48; i++)
        x[i] = NAN;
    CHECK(argmax(x, 40) == 0);
}

static int16_t half(int32_t word, int which) {
    return (int16_t)((uint32_t)word >> 16 * which);
}

/* The values of all forms of a chunk. */
static void check_chunk(const struct chunk *chunk, const int32_t expected[4]) {
    CHECK(half(chunk->even, 0) == expected[0] && half(chunk->even, 1) == expected[2]);
    CHECK(half(chunk->odd, 0) == expected[1] && half(chunk->odd, 1) == expected[3]);
    for (int i = 0; i < 4; i++)
        CHECK((int8_t)((uint32_t)chunk->all >> 8 * i) == expected[i]);
}

static void test_quantize(void) {
    /* Scale 1: halves go away from zero, what is just below them towards it. */
    _Alignas(64) float x[16] = {127.0f, 0.5f,  -0.5f,        1.5f, 0x1.fffffep-2f, -2.5f,
                                126.5f, -0.0f, -126.499992f, 0.0f, 3.0f,           -127.0f};
    static const int32_t expected[12] = {127, 1, -1, 2, 0, -3, 127, 0, -126, 0, 3, -127};
    float scales[4];
    int32_t start[4];
    struct chunk chunks[4];
    struct quantized q = {scales, start, chunks};
    quantize(&q, x, 12, 12);
    CHECK(scales[0] == 1.0f);
    for (int i = 0; i < 3; i++)
        check_chunk(&chunks[i], expected + 4 * i);
    CHECK(start[0] == -128 * (127 + 1 - 1 + 2 + 0 - 3 + 127 + 0 - 126 + 0 + 3 - 127));

    /* Groups of 3: each is filled up to a chunk. */
    quantize(&q, (const float[]){0, 0, 0, 2.54f, -1.27f, 0.01f}, 6, 3);
    CHECK(scales[0] == 0.0f && scales[1] == 2.54f / 127.0f);
    check_chunk(&chunks[0], (const int32_t[]){0, 0, 0, 0});
    check_chunk(&chunks[1], (const int32_t[]){127, -64, 1, 0});

    /* A damaged model's activations stay within int8. */
    quantize(&q, (const float[]){NAN, INFINITY, -INFINITY, 1.0f, 200e-45f, -200e-45f, 0, 0}, 8, 4);
    for (int i = 0; i < 2; i++)
        for (int j = 0; j < 4; j++)
            CHECK(abs((int8_t)((uint32_t)chunks[i].all >> 8 * j)) <= 127);
}

int main(void) {
    static const uint32_t sizes[] = {1, 2, 15, 16, 17, 64, 288, 300};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        test_rms_norm(sizes[i]);
    test_rotate();
    test_add();
    test_argmax();
    test_quantize();
    puts("elementwise: passed");
}
