/* The native functions that the cases of test_interpreter.cpp call. */
#include "tests/engine/interpreter_cases.h"
#include <string.h>

uint64_t test_mix(uint64_t a, uint64_t b) {
    uint64_t x = (a ^ (b * 0x9E3779B97F4A7C15)) + 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9;
    x = (x ^ x >> 27) * 0x94D049BB133111EB;
    return x ^ x >> 31;
}

double test_double(uint64_t seed, uint64_t index) {
    static const double special[] = {0.0, -0.0, 1.0, -1.5, 1e-310, -1e300, 3.5, 0x1p53};
    uint64_t bits = test_mix(seed, index);
    double value;
    switch (bits % 8) {
    case 0:
        return special[bits / 8 % 8];
    case 1:
        return bits & 8 ? __builtin_inf() : -__builtin_inf();
    case 2:
        return __builtin_nan("");
    case 3:
        memcpy(&value, &bits, sizeof value); /* any at all */
        return value;
    default:
        return (double)(int64_t)(bits >> 3) / 0x1p55;
    }
}

float test_float(uint64_t seed, uint64_t index) {
    return (float)test_double(seed, index);
}

uint64_t test_call(uint64_t (*function)(uint64_t), uint64_t argument) {
    return function(argument);
}

uint64_t test_bytes(const void *bytes, size_t size) {
    uint64_t total = size;
    for (size_t i = 0; i < size; i++)
        total = test_mix(total, ((const unsigned char *)bytes)[i]);
    return total;
}

uint64_t test_triple(void *triple) {
    uint64_t *words = triple;
    words[1] += words[0];
    return words[1];
}

uint64_t test_narrow(signed char a, unsigned char b, short c, unsigned short d, bool e, int f) {
    return (uint64_t)(a + 3l * b + 5l * c + 7l * d + 11l * e + 13l * f);
}

signed char test_signed_char(uint64_t seed) {
    return (signed char)(seed % 3 == 0 ? -1 : (int)seed);
}

bool test_bool(uint64_t seed) {
    return seed % 2;
}

int test_int(uint64_t seed) {
    return (int)seed;
}

double test_mixed(float a, int b, double c, long d, float e, double f, float g, double h, float i,
                  double j, float k, double l, int m, long n, long o, int p, long q) {
    return a - b * 2 + c * 3 - d * 4 + e * 5 - f * 6 + g * 7 - h * 8 + i * 9 - j * 10 + k * 11 -
           l * 12 + m * 13 - n * 14 + o * 15 - p * 16 + q * 17;
}
