// sources: kernel_lib/small_floats.c
/* Conversions to and from half and bfloat: the result is the nearest number, of two as near the one
 * that is even. */
#include "tests/host/check.h"
#include <math.h>
#include <stdint.h>
#include <string.h>

__int128 __fixhfti(_Float16 x);
unsigned __int128 __fixunshfti(_Float16 x);
_Float16 __floattihf(__int128 x);
_Float16 __floatuntihf(unsigned __int128 x);
__bf16 __truncxfbf2(long double x);

static uint64_t state = 88172645463325252u;
static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static long double half(uint16_t bits) {
    _Float16 value;
    memcpy(&value, &bits, sizeof value);
    return (long double)(float)value;
}
static long double bfloat(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float value;
    memcpy(&value, &wide, sizeof value);
    return value;
}

/* For positive finite numbers, whose order is that of their bits; what comes after the largest
 * counts as a number. */
static void check_nearest(long double x, uint16_t bits, long double (*value)(uint16_t),
                          uint16_t infinity, long double after_largest) {
    long double here = bits == infinity ? after_largest : value(bits);
    long double distance = fabsl(here - x);
    if (bits < infinity) {
        uint16_t up = (uint16_t)(bits + 1);
        long double other = fabsl((up == infinity ? after_largest : value(up)) - x);
        CHECK(distance < other || (distance == other && bits % 2 == 0));
    }
    if (bits > 0 && !(bits == infinity && x > after_largest)) {
        long double other = fabsl(value((uint16_t)(bits - 1)) - x);
        CHECK(distance < other || (distance == other && bits % 2 == 0));
    }
}

static uint16_t bits_of(const void *value) {
    uint16_t bits;
    memcpy(&bits, value, sizeof bits);
    return bits;
}

static void test_integers_to_half(void) {
    for (int i = 0; i < 100000; i++) {
        /* Of all sizes, and right between two halves. */
        unsigned __int128 x = next() >> (next() % 64);
        if (i % 3 == 0)
            x = (next() % 4096 * 2 + 1) << next() % 6;
        if (i % 1000 == 0)
            x <<= next() % 64;
        _Float16 unsigned_result = __floatuntihf(x), result = __floattihf((__int128)(x >> 1));
        _Float16 negative = __floattihf(-(__int128)(x >> 1));
        check_nearest((long double)x, bits_of(&unsigned_result), half, 0x7C00, 65536);
        check_nearest((long double)(x >> 1), bits_of(&result), half, 0x7C00, 65536);
        CHECK((float)negative == -(float)result);
    }
    CHECK(isinf((float)__floatuntihf(~(unsigned __int128)0)));
    CHECK((float)__floattihf(-((__int128)1 << 126)) == -INFINITY);
}

static void test_half_to_integers(void) {
    for (unsigned bits = 0; bits < 0x7C00; bits++) {
        uint16_t given = (uint16_t)bits;
        _Float16 value, negative;
        memcpy(&value, &given, sizeof value);
        negative = -value;
        CHECK(__fixhfti(value) == (long)floorl(half(given)));
        CHECK(__fixhfti(negative) == -(long)floorl(half(given)));
        CHECK(__fixunshfti(value) == (unsigned long)floorl(half(given)));
    }
}

static void test_long_double_to_bfloat(void) {
    for (int i = 0; i < 200000; i++) {
        long double x = ldexpl((long double)next(), -(int)(next() % 260));
        if (i % 2) { /* near the middle between two */
            uint16_t at = (uint16_t)(next() % 0x7F00);
            x = (bfloat(at) + bfloat((uint16_t)(at + 1))) / 2;
            x = i % 4 == 1 ? x : x * (1 + ldexpl(i % 8 == 3 ? 1 : -1, -62));
        }
        __bf16 result = __truncxfbf2(x), negative = __truncxfbf2(-x);
        check_nearest(x, bits_of(&result), bfloat, 0x7F80, 0x1p128L);
        CHECK(bits_of(&negative) == (bits_of(&result) | 0x8000));
    }
}

int main(void) {
    test_integers_to_half();
    test_half_to_integers();
    test_long_double_to_bfloat();
    return 0;
}
