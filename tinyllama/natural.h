/* e^x and ln x in double precision, with small code: a C library's would bring tables of
 * kilobytes. */
#pragma once
#include <stdint.h>
#include <string.h>

/* e^x for x from -20 to 20, with a relative error of some 1e-13: Taylor's series for x / 1024,
 * squared ten times. */
static inline double exponential(double x) {
    double small = x / 1024, term = 1.0, sum = 1.0;
    for (int i = 1; i <= 8; i++)
        sum += term *= small / i;
    for (int i = 0; i < 10; i++)
        sum *= sum;
    return sum;
}

/* ln x for normal x > 0, with an error of some 1e-15: x = m 2^e with m from 0.7 to 1.5, and ln m =
 * 2 artanh z with z = (m - 1) / (m + 1). */
static inline double logarithm(double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t above = bits - 0x3FE6666666666666; /* 0.7 */
    int64_t exponent = (int64_t)above >> 52;
    bits -= (uint64_t)exponent << 52;
    double m;
    memcpy(&m, &bits, sizeof m);
    double z = (m - 1.0) / (m + 1.0), power = z, sum = 0.0;
    for (int i = 1; i <= 23; i += 2, power *= z * z)
        sum += power / i;
    return 2.0 * sum + (double)exponent * 0.69314718055994530942;
}
