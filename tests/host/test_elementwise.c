// sources: tinyllama/kernels/elementwise.c
/* The small operations against plain ones in double precision. */
#include "check.h"
#include "tinyllama/kernels/elementwise.h"
#include <math.h>
#include <string.h>

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
    test_argmax();
    test_quantize();
    puts("elementwise: passed");
}
