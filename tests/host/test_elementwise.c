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

int main(void) {
    test_argmax();
    puts("elementwise: passed");
}
