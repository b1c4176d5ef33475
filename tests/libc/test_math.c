/* math.h's functions: of float, and those that are exact, bit for bit; the others of double against
 * the host's long double functions.
 *
 * LLVM-libc gives the nearest float. Of double, as it is configured here (without the last,
 * accurate step), it gives the nearest number or one next to it, mostly: bound() has the
 * exceptions. */
#include "own.h"
#include <float.h>
#include <math.h>
#include <string.h>

#define ROUNDS 40000

/* With one argument, of which the result is exact or the nearest number by definition. */
#define FLOAT_EXACT(DO) DO(ceilf) DO(fabsf) DO(floorf) DO(roundf) DO(sqrtf)
#define DOUBLE_EXACT(DO) DO(fabs) DO(floor) DO(sqrt)
#define FLOAT_NEAR(DO) DO(cosf) DO(exp2f) DO(expf) DO(log2f) DO(logf) DO(sinf)
/* With two. */
#define FLOAT_EXACT_2(DO) DO(fmaxf) DO(fminf) DO(fmodf)
#define FLOAT_NEAR_2(DO) DO(powf)
#ifdef WITH_GLIBC_ABI
#define MORE_FLOAT_EXACT(DO) DO(nearbyintf) DO(rintf) DO(truncf)
#define MORE_DOUBLE_EXACT(DO) DO(ceil) DO(logb) DO(nearbyint) DO(rint) DO(round) DO(trunc)
#define DOUBLE_NEAR(DO)                                                                            \
    DO(acos)                                                                                       \
    DO(asin) DO(atan) DO(cos) DO(exp) DO(exp2) DO(log) DO(log10) DO(log1p) DO(log2) DO(sin) DO(tan)
#define DOUBLE_EXACT_2(DO) DO(fmod)
#define DOUBLE_NEAR_2(DO) DO(atan2) DO(pow)
#else
#define MORE_FLOAT_EXACT(DO)
#define MORE_DOUBLE_EXACT(DO)
#define DOUBLE_NEAR(DO)
#define DOUBLE_EXACT_2(DO)
#define DOUBLE_NEAR_2(DO)
#endif

static const double special[] = {0,           INFINITY,
                                 NAN,         1,
                                 2,           0.5,
                                 1.5,         2.5,
                                 3,           10,
                                 100,         0x1p23,
                                 0x1p24,      0x1p52,
                                 0x1p53,      88.72,
                                 103.97,      709.78,
                                 745.13,      128,
                                 149,         1023.5,
                                 1074.5,      M_PI,
                                 M_PI_2,      M_PI_4,
                                 M_E,         M_LN2,
                                 FLT_MAX,     FLT_MIN,
                                 DBL_MAX,     DBL_MIN,
                                 0x1p-149,    0x1p-1074,
                                 8388607.5,   4503599627370495.5,
                                 0.49999997f, 0.49999999999999994,
                                 0.99999994f, 1.0000001f};

/* Any bits; numbers near to one and between -20 and 20; integers and halves; the special ones. */
static double random_value(bool is_float) {
    uint64_t bits = random_bits();
    double value = special[random_below(sizeof special / sizeof *special)];
    float single;
    uint32_t half = (uint32_t)bits;
    switch (random_below(8)) {
    case 0:
    case 1:
        memcpy(&single, &half, sizeof single);
        memcpy(&value, &bits, sizeof value);
        return is_float ? (double)single : value;
    case 2:
        return (double)((int64_t)bits >> 42) / 2;
    case 3:
        return 1 + (double)(int64_t)bits * 0x1p-66 * (double)(1u << random_below(4));
    case 4:
        return random_below(2) ? value : -value;
    case 5:
        return (double)(int64_t)bits * 0x1p-63 * 800;
    default:
        return (double)(int64_t)bits * 0x1p-63 * 20;
    }
}

static void check_exact(const char *name, double own, double theirs, double x, double y) {
    if (isnan(theirs) ? isnan(own) : own == theirs && signbit(own) == signbit(theirs))
        return;
    DIFFER("%s(%a, %a) = %a, not %a", name, x, y, own, theirs);
}

#ifdef WITH_GLIBC_ABI
/* The largest error of a function, in units of the last place. */
static long double bound(const char *name) {
    return strcmp(name, "acos") == 0 || strcmp(name, "asin") == 0 ? 6
           : strcmp(name, "tan") == 0                             ? 2
           : strcmp(name, "pow") == 0                             ? 100
                                                                  : 1.01L;
}

static double double_ulp(double x) {
    x = fabs(x);
    return isinf(x) ? 0 : x == DBL_MAX ? 0x1p971 : nextafter(x, INFINITY) - x;
}

static void check_near(const char *name, double own, long double reference, double x, double y) {
    double nearest = (double)reference;
    if (isnan(reference) ? isnan(own) : own == nearest && signbit(own) == signbit(nearest))
        return;
    long double error = fabsl(own - reference) / double_ulp(nearest);
    if (isnan(reference) || isnan(own) || isinf(nearest) || !(error <= bound(name)))
        DIFFER("%s(%a, %a) = %a, not %a: %.3Lf ULP off", name, x, y, own, nearest, error);
}
#endif

#define DECLARE_FLOAT(f) float own_##f(float x);
#define DECLARE_FLOAT_2(f) float own_##f(float x, float y);
#define DECLARE_DOUBLE(f) double own_##f(double x);
#define DECLARE_DOUBLE_2(f) double own_##f(double x, double y);
FLOAT_EXACT(DECLARE_FLOAT)
FLOAT_NEAR(DECLARE_FLOAT)
FLOAT_EXACT_2(DECLARE_FLOAT_2)
FLOAT_NEAR_2(DECLARE_FLOAT_2)
DOUBLE_EXACT(DECLARE_DOUBLE)
MORE_FLOAT_EXACT(DECLARE_FLOAT)
MORE_DOUBLE_EXACT(DECLARE_DOUBLE)
DOUBLE_NEAR(DECLARE_DOUBLE)
DOUBLE_EXACT_2(DECLARE_DOUBLE_2)
DOUBLE_NEAR_2(DECLARE_DOUBLE_2)

/* The long double function of the same name: "expf" and "exp" have expl. */
#define cosf_l cosl
#define exp2f_l exp2l
#define expf_l expl
#define log2f_l log2l
#define logf_l logl
#define sinf_l sinl
#define powf_l powl

#define TEST_FLOAT_EXACT(f) check_exact(#f, own_##f(xf), f(xf), xf, 0);
#define TEST_DOUBLE_EXACT(f) check_exact(#f, own_##f(x), f(x), x, 0);
#define TEST_DOUBLE_EXACT_2(f) check_exact(#f, own_##f(x, y), f(x, y), x, y);
/* Of two zeros fmaxf and fminf may give either. */
#define TEST_FLOAT_EXACT_2(f)                                                                      \
    if (xf != 0 || yf != 0)                                                                        \
        check_exact(#f, own_##f(xf, yf), f(xf, yf), xf, yf);
#define TEST_FLOAT_NEAR(f) check_exact(#f, own_##f(xf), (float)f##_l(xf), xf, 0);
#define TEST_FLOAT_NEAR_2(f) check_exact(#f, own_##f(xf, yf), (float)f##_l(xf, yf), xf, yf);
#define TEST_DOUBLE_NEAR(f) check_near(#f, own_##f(x), f##l(x), x, 0);
#define TEST_DOUBLE_NEAR_2(f) check_near(#f, own_##f(x, y), f##l(x, y), x, y);

int main(void) {
    for (int i = 0; i < ROUNDS; i++) {
        float xf = (float)random_value(true), yf = (float)random_value(true);
        double x = random_value(false), y = random_value(false);
        FLOAT_EXACT(TEST_FLOAT_EXACT)
        DOUBLE_EXACT(TEST_DOUBLE_EXACT)
        FLOAT_NEAR(TEST_FLOAT_NEAR)
        FLOAT_EXACT_2(TEST_FLOAT_EXACT_2)
        FLOAT_NEAR_2(TEST_FLOAT_NEAR_2)
        MORE_FLOAT_EXACT(TEST_FLOAT_EXACT)
        MORE_DOUBLE_EXACT(TEST_DOUBLE_EXACT)
        DOUBLE_NEAR(TEST_DOUBLE_NEAR)
        DOUBLE_EXACT_2(TEST_DOUBLE_EXACT_2)
        DOUBLE_NEAR_2(TEST_DOUBLE_NEAR_2)
        (void)y;
    }
    puts("math: passed");
}
