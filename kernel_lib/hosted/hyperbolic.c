/*
 * The hyperbolic functions of double, which LLVM-libc has for float only. Each is written with
 * expm1 and log1p where a difference of nearly equal numbers would lose digits, and with half of
 * the argument where exp would overflow.
 */
#include <math.h>

#define LN2 0x1.62e42fefa39efp-1
#define LARGE 22.0         /* exp(-2x) is below half a unit in the last place of 1 */
#define OVERFLOWS 709.0    /* exp of more may be infinite */
#define HUGE_SQUARE 0x1p28 /* 1 is lost beside its square */

double sinh(double x) {
    double a = fabs(x), half = copysign(0.5, x);
    if (a < 0x1p-28)
        return x;
    if (a > OVERFLOWS) {
        double root = exp(0.5 * a);
        return half * root * root;
    }
    if (a > LARGE)
        return half * exp(a);
    double t = expm1(a);
    return a < 1 ? half * (2 * t - t * t / (t + 1)) : half * (t + t / (t + 1));
}

double cosh(double x) {
    double a = fabs(x);
    if (a > OVERFLOWS) {
        double root = exp(0.5 * a);
        return 0.5 * root * root;
    }
    if (a > LARGE)
        return 0.5 * exp(a);
    if (a < 0.5 * LN2) {
        double t = expm1(a);
        return 1 + t * t / (2 * (1 + t));
    }
    double e = exp(a);
    return 0.5 * e + 0.5 / e;
}

double tanh(double x) {
    double a = fabs(x), result;
    if (a < 0x1p-28)
        return x;
    if (a > LARGE)
        result = 1;
    else if (a >= 1)
        result = 1 - 2 / (expm1(2 * a) + 2);
    else {
        double t = expm1(-2 * a);
        result = -t / (t + 2);
    }
    return isnan(x) ? x : copysign(result, x);
}

double asinh(double x) {
    double a = fabs(x), result;
    if (a < 0x1p-28 || !isfinite(x))
        return x;
    if (a > HUGE_SQUARE)
        result = log(a) + LN2;
    else if (a > 2)
        result = log(2 * a + 1 / (sqrt(a * a + 1) + a));
    else
        result = log1p(a + a * a / (1 + sqrt(1 + a * a)));
    return copysign(result, x);
}

double acosh(double x) {
    if (!(x >= 1))
        return isnan(x) ? x : NAN;
    if (x > HUGE_SQUARE)
        return log(x) + LN2;
    if (x > 2)
        return log(2 * x - 1 / (x + sqrt(x * x - 1)));
    double t = x - 1;
    return log1p(t + sqrt(2 * t + t * t));
}

double atanh(double x) {
    double a = fabs(x);
    if (!(a <= 1))
        return isnan(x) ? x : NAN;
    if (a < 0x1p-28)
        return x;
    double t = 2 * a;
    t = a < 0.5 ? t + t * a / (1 - a) : t / (1 - a);
    return copysign(0.5 * log1p(t), x);
}
