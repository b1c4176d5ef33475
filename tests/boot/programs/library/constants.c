/*
 * That an argument is a constant changes no bit. Of these, glibc's results, and those of other
 * operations that a compiler may put in place of the function's, are others than ours.
 */
#include "constants.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

static int differ(double a, double b) {
    return memcmp(&a, &b, sizeof a) != 0;
}

static void compare(const char *name, double of_constant, double of_variable) {
    if (differ(of_constant, of_variable))
        printf("%s of constants: %a, and else %a\n", name, of_constant, of_variable);
}

#define COMPARE(F, X)                                                                              \
    do {                                                                                           \
        volatile double x = (X);                                                                   \
        compare(#F, F(X), F(x));                                                                   \
        compare("__builtin_" #F, __builtin_##F(X), F(x));                                          \
        compare(#F " by its address", by_address(F, X), F(x));                                     \
    } while (0)

#define COMPARE_PAIR(F, X, Y)                                                                      \
    do {                                                                                           \
        volatile double x = (X), y = (Y);                                                          \
        compare(#F, F(X, Y), F(x, y));                                                             \
        compare("__builtin_" #F, __builtin_##F(X, Y), F(x, y));                                    \
    } while (0)

static double by_address(double (*function)(double), double x) {
    return function(x);
}

static void functions(void) {
    COMPARE(atan, 0.01);
    COMPARE(cos, 0.473);
    COMPARE(cosh, 0.3617);
    COMPARE(exp, 0.001013);
    COMPARE(log, 0.691);
    COMPARE(log10, 0.676);
    COMPARE(log1p, 0.498);
    COMPARE(log2, 0.898);
    COMPARE(sin, 0.259);
    COMPARE(sinh, 0.828);
    COMPARE_PAIR(pow, 0.787, 1.3);
    COMPARE_PAIR(fmax, -0.0, 0.0);
    COMPARE_PAIR(fmin, 0.0, -0.0);
}

/* Only one argument is a constant, or a result is. */
static void operations(void) {
    volatile double x = 0.529, zero = 0.0, negative = -0.0, two = 2, half = 0.5;
    compare("pow(x, 2)", __builtin_pow(x, 2.0), pow(x, two));
    compare("pow(x, 0.5)", __builtin_pow(x, 0.5), pow(x, half));
    compare("pow(2, x)", __builtin_pow(2.0, x), pow(two, x));
    compare("fmax(-0, 0)", __builtin_fmax(negative, zero), 0.0);
    compare("fmax(0, -0)", __builtin_fmax(zero, negative), 0.0);
    compare("fmin(-0, 0)", __builtin_fmin(negative, zero), -0.0);
    compare("fmin(0, -0)", __builtin_fmin(zero, negative), -0.0);
    double sine, cosine;
    __builtin_sincos(0.259, &sine, &cosine);
    volatile double angle = 0.259;
    compare("sincos", sine, sin(angle));
    compare("sincos", cosine, cos(angle));
}

static double product_and_sum(double a, double b, double c) {
    return a * b + c;
}

/* Some compilers take one operation for the two, which rounds once. */
static void contracted(void) {
    volatile double a = 1.1, b = 1.3, c = 1.7;
    volatile double product = a * b;
    compare("a * b + c", product_and_sum(1.1, 1.3, 1.7), product + c);
}

/* Of the compiler's own, which have no name in C. */
static void elements(void) {
    typedef double pair __attribute__((vector_size(16)));
    volatile double x = 0.259, base = 1.1;
    volatile int power = 37;
    pair sines = __builtin_elementwise_sin((pair){0.259, 0.259});
    compare("the first sin", sines[0], sin(x));
    compare("the second sin", sines[1], sin(x));
    compare("powi", __builtin_powi(1.1, 37), __builtin_powi(base, power));
    compare("powi of -37", __builtin_powi(1.1, -37), __builtin_powi(base, -power));
    volatile double small = 0.001013;
    compare("exp of an element", __builtin_elementwise_exp(0.001013), exp(small));
}

void constants(void) {
    functions();
    operations();
    contracted();
    elements();
}
