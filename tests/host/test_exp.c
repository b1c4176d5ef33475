// sources: tinyllama/kernels/elementwise.c
/* vector_exp.h, and what elementwise.c makes with it, against the host's long double functions. */
#include "check.h"
#include "tinyllama/kernels/elementwise.h"
#include "tinyllama/kernels/vector_exp.h"
#include <math.h>

/* The relative error that vector_exp.h promises. */
#define BOUND 0x1p-22L

static float exp2_minus_of(float x) {
    float lanes[VECTOR_LANES];
    store(lanes, exp2_minus(splat(x)));
    for (int i = 1; i < VECTOR_LANES; i++)
        CHECK(lanes[i] == lanes[0]);
    return lanes[0];
}

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Every 97th float from 0 to 125, and the bounds. */
static void test_error(void) {
    uint32_t last;
    const float largest = EXP2_LARGEST;
    memcpy(&last, &largest, sizeof last);
    long double worst = 0.0L;
    for (uint32_t bits = 0; bits <= last; bits += 97) {
        float x = float_of(bits);
        long double expected = exp2l(-(long double)x);
        long double error = fabsl(exp2_minus_of(x) - expected) / expected;
        if (error > worst)
            worst = error;
    }
    printf("largest relative error 2^%.2Lf\n", log2l(worst));
    CHECK(worst < BOUND);
}

static void test_special_values(void) {
    CHECK(exp2_minus_of(0.0f) == 1.0f);
    CHECK(exp2_minus_of(1.0f) == 0.5f);
    CHECK(exp2_minus_of(125.0f) == 0x1p-125f);
    CHECK(exp2_minus_of(1e30f) == 0x1p-125f);
    CHECK(exp2_minus_of(INFINITY) == 0x1p-125f);
}

/* Lanes do not disturb each other, whatever their neighbours are. */
static void test_lanes(void) {
    const float x[] = {0.0f, 124.99f, 0.015f, 99.5f, 125.0f, 31.99f, 1e-30f, 0.9999f};
    for (int i = 0; i + VECTOR_LANES <= 8; i++) {
        float lanes[VECTOR_LANES];
        store(lanes, exp2_minus(load(x + i)));
        for (int j = 0; j < VECTOR_LANES; j++)
            CHECK(lanes[j] == exp2_minus_of(x[i + j]));
    }
}

static void test_softmax(float temperature) {
    enum { SIZE = 101 };
    _Alignas(64) float x[112];
    long double expected[SIZE], sum = 0.0L, total = 0.0L;
    for (int i = 0; i < SIZE; i++) {
        x[i] = (float)((i * 37) % SIZE) / 5.0f - 7.0f;
        sum += expected[i] = expl((long double)x[i] / temperature);
    }
    softmax(x, SIZE, temperature);
    for (int i = 0; i < SIZE; i++) {
        CHECK(fabsl(x[i] - expected[i] / sum) <= expected[i] / sum * 1e-5L + 0x1p-120L);
        total += x[i];
    }
    CHECK(fabsl(total - 1.0L) < 1e-6L);
}

int main(void) {
    test_softmax(1.0f);
    test_softmax(0.1f);
    test_softmax(50.0f);
    test_special_values();
    test_lanes();
    test_error();
    puts("exp: passed");
}
