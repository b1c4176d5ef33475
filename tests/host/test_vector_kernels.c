// sources: tinyllama/kernels/kernels.c
/* The kernels for vectors of activations, of every vector width that this CPU has, against plain
 * ones in double precision, SwiGLU in long double. */
#include "check.h"
#include "kernel_widths.h"
#include <math.h>
#include <string.h>

#define MAX 320

static void fill(float *x, uint32_t size, uint32_t padded) {
    for (uint32_t i = 0; i < padded; i++)
        x[i] = i < size ? sinf((float)i * 1.7f) * (float)(1 + i % 5) : 0.0f;
}

static void test_rms_norm(const struct kernels *k, uint32_t size) {
    _Alignas(64) float x[MAX], weight[MAX], out[MAX];
    fill(x, size, matrix_padded(size));
    fill(weight, size, matrix_padded(size));
    double squares = 0.0;
    for (uint32_t i = 0; i < size; i++)
        squares += (double)x[i] * x[i];
    double scale = 1.0 / sqrt(squares / size + 1e-5);
    k->rms_norm(out, x, weight, size, 1e-5f);
    for (uint32_t i = 0; i < size; i++)
        CHECK(fabs(out[i] - weight[i] * scale * x[i]) <= 1e-6 * fabs((double)out[i]));
    for (uint32_t i = size; i < matrix_padded(size); i++)
        CHECK(out[i] == 0.0f);
    k->rms_norm(x, x, weight, size, 1e-5f);
    CHECK(memcmp(x, out, size * sizeof(float)) == 0);
}

static void test_rotate(const struct kernels *k) {
    _Alignas(64) float x[16], cosines[16], sines[16], before[16];
    fill(x, 16, 16);
    memcpy(before, x, sizeof x);
    for (int i = 0; i < 16; i += 2) {
        float angle = (float)i * 0.3f;
        cosines[i] = cosines[i + 1] = cosf(angle);
        sines[i] = -sinf(angle);
        sines[i + 1] = sinf(angle);
    }
    k->rotate(x, cosines, sines, 16);
    for (int i = 0; i < 16; i += 2) {
        double c = cos(i * 0.3), s = sin(i * 0.3);
        CHECK(fabs(x[i] - (before[i] * c - before[i + 1] * s)) < 1e-5);
        CHECK(fabs(x[i + 1] - (before[i] * s + before[i + 1] * c)) < 1e-5);
    }
}

static void test_add(const struct kernels *k) {
    _Alignas(64) float x[32], y[32], before[32];
    fill(x, 32, 32);
    memcpy(before, x, sizeof x);
    for (int i = 0; i < 32; i++)
        y[i] = (float)i * 0.37f;
    k->add(x, y, 32);
    for (int i = 0; i < 32; i++)
        CHECK(x[i] == before[i] + y[i]);
}

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* SwiGLU over every magnitude of float32, both signs. */
static void test_swiglu(const struct kernels *k) {
    for (uint32_t bits = 0; bits < 0x7F800000; bits += 7919 * 16) {
        _Alignas(64) float gate[MATRIX_BLOCK], up[MATRIX_BLOCK];
        float x[MATRIX_BLOCK];
        for (uint32_t i = 0; i < MATRIX_BLOCK; i++) {
            x[i] = gate[i] = float_of((bits + i * 7919) | (i & 1) << 31);
            up[i] = 1.0f;
        }
        k->swiglu(gate, up, MATRIX_BLOCK);
        for (uint32_t i = 0; i < MATRIX_BLOCK; i++) {
            if (!isfinite(x[i]))
                continue;
            long double expected = (long double)x[i] / (1.0L + expl(-(long double)x[i]));
            /* x log2(e) is rounded, which for a negative x shows in e^x; and e^x never falls below
             * 2^-125. */
            long double size = fabsl((long double)x[i]);
            long double bound =
                fabsl(expected) * (4 + size) * 0x1p-23L + size * 0x1p-124L + 0x1p-149L;
            CHECK(fabsl(gate[i] - expected) <= bound);
        }
    }
}

/* Every width gives the bits of the narrowest. */
static void test_same_bits(const struct kernels *k) {
    _Alignas(64) float x[2][MAX], y[MAX], z[MAX];
    fill(y, MAX, MAX);
    for (int i = 0; i < MAX; i++)
        z[i] = cosf((float)i);
    for (int i = 0; i < 2; i++) {
        const struct kernels *own = i ? k : all_kernels[0];
        fill(x[i], 300, MAX);
        own->rms_norm(x[i], x[i], y, 300, 1e-5f);
        own->rotate(x[i], y, z, MAX);
        own->add(x[i], z, MAX);
        own->swiglu(x[i], y, MAX);
    }
    CHECK(memcmp(x[0], x[1], sizeof x[0]) == 0);
}

int main(void) {
    static const uint32_t sizes[] = {1, 2, 15, 16, 17, 64, 288, 300};
    for (size_t w = 0; w < WIDTHS; w++) {
        const struct kernels *k = all_kernels[w];
        printf("%s: %s\n", k->name, usable(k) ? "tested" : "this CPU cannot run it");
        if (!usable(k))
            continue;
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            test_rms_norm(k, sizes[i]);
        test_rotate(k);
        test_add(k);
        test_swiglu(k);
        test_same_bits(k);
    }
    puts("vector kernels: passed");
}
