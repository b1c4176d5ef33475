// sources: tinyllama/kernels/elementwise.c
/* e^x and ln x against the C library's, and the logarithm of a sum of powers. */
#include "check.h"
#include "tinyllama/kernels/elementwise.h"
#include "tinyllama/natural.h"
#include <math.h>

static void test_functions(void) {
    for (double x = -20.0; x <= 20.0; x += 0.0137)
        CHECK(fabs(exponential(x) / exp(x) - 1.0) < 1e-12);
    for (double x = 1e-300; x < 1e300; x *= 1.7)
        CHECK(fabs(logarithm(x) - log(x)) <= 4e-16 * fabs(log(x)) + 1e-15);
    for (double x = 0.5; x < 2.0; x += 1e-4)
        CHECK(fabs(logarithm(x) - log(x)) < 1e-15);
    CHECK(logarithm(1.0) == 0.0);
}

static void test_sum(uint32_t size, float spread) {
    float x[1000];
    double total = 0.0;
    for (uint32_t i = 0; i < size; i++) {
        x[i] = sinf((float)i * 1.3f) * spread - 7.0f;
        total += exp((double)x[i]);
    }
    CHECK(fabs(log_sum_exp(x, size) - log(total)) < 5e-7);
}

int main(void) {
    test_functions();
    for (uint32_t size = 1; size <= 1000; size += size / 4 + 1) {
        test_sum(size, 1.0f);
        test_sum(size, 40.0f);
    }
    puts("natural: passed");
}
