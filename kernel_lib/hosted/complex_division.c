#include "kernel_lib/hosted/complex_division.h"
#include <float.h>
#include <stdbool.h>

struct quotient {
    long double real, imaginary;
};

static bool is_infinite(long double x, long double y) {
    return __builtin_isinf(x) || __builtin_isinf(y);
}

static bool is_finite(long double x, long double y) {
    return __builtin_isfinite(x) && __builtin_isfinite(y);
}

/* An infinity becomes 1, everything else 0, with its sign. */
static long double unit(long double x) {
    return __builtin_copysignl(__builtin_isinf(x) ? 1 : 0, x);
}

/* If both parts are NaN: what annex G wants instead, if it does. */
static struct quotient checked(struct quotient found, long double a, long double b, long double c,
                               long double d) {
    const long double infinity = __builtin_infl();
    if (!__builtin_isnan(found.real) || !__builtin_isnan(found.imaginary))
        return found;
    if (c == 0 && d == 0 && !(__builtin_isnan(a) && __builtin_isnan(b))) {
        long double signed_infinity = __builtin_copysignl(infinity, c);
        return (struct quotient){signed_infinity * a, signed_infinity * b};
    }
    if (is_infinite(a, b) && is_finite(c, d)) {
        a = unit(a), b = unit(b);
        return (struct quotient){infinity * (a * c + b * d), infinity * (b * c - a * d)};
    }
    if (is_infinite(c, d) && is_finite(a, b)) {
        c = unit(c), d = unit(d);
        return (struct quotient){0 * (a * c + b * d), 0 * (b * c - a * d)};
    }
    return found;
}

/* Of float and double: a long double has range and digits to spare for the plain formula. */
static struct quotient divide(long double a, long double b, long double c, long double d) {
    long double squares = c * c + d * d;
    struct quotient found = {(a * c + b * d) / squares, (b * c - a * d) / squares};
    return checked(found, a, b, c, d);
}

_Complex float complex_quotient_float(float a, float b, float c, float d) {
    struct quotient found = divide(a, b, c, d);
    _Complex float result;
    __real__ result = (float)found.real;
    __imag__ result = (float)found.imaginary;
    return result;
}

_Complex double complex_quotient(double a, double b, double c, double d) {
    struct quotient found = divide(a, b, c, d);
    _Complex double result;
    __real__ result = (double)found.real;
    __imag__ result = (double)found.imaginary;
    return result;
}

/* Of long double, by the method of Baudin and Smith, "A robust complex division in Scilab" (2012),
 * with arguments near the ends of the range scaled by a power of two. */

/* One part for |d| <= |c|, where ratio is d / c: of (a, b) the real one, of (b, -a) the imaginary
 * one. A product that vanishes, or loses digits, is formed in another order. */
static long double part(long double a, long double b, long double c, long double d,
                        long double ratio) {
    long double factor = 1 / (c + d * ratio);
    if (__builtin_fabsl(ratio) < LDBL_MIN)
        return (a + d * (b / c)) * factor;
    return __builtin_fabsl(b * ratio) >= LDBL_MIN ? (a + b * ratio) * factor
                                                  : a * factor + b * factor * ratio;
}

static long double larger(long double x, long double y) {
    x = __builtin_fabsl(x), y = __builtin_fabsl(y);
    return x < y ? y : x;
}

_Complex long double complex_quotient_long(long double a, long double b, long double c,
                                           long double d) {
    const long double small = LDBL_MIN * 2 / LDBL_EPSILON;
    const long double up = 2 / (LDBL_EPSILON * LDBL_EPSILON);
    long double w = a, x = b, y = c, z = d, scale = 1;
    if (larger(w, x) >= LDBL_MAX / 2)
        w /= 2, x /= 2, scale *= 2;
    if (larger(y, z) >= LDBL_MAX / 2)
        y /= 2, z /= 2, scale /= 2;
    if (larger(w, x) <= small)
        w *= up, x *= up, scale /= up;
    if (larger(y, z) <= small)
        y *= up, z *= up, scale *= up;
    struct quotient found;
    if (__builtin_fabsl(z) <= __builtin_fabsl(y))
        found = (struct quotient){part(w, x, y, z, z / y), part(x, -w, y, z, z / y)};
    else
        found = (struct quotient){part(x, w, z, y, y / z), -part(w, -x, z, y, y / z)};
    found.real *= scale, found.imaginary *= scale;
    found = checked(found, a, b, c, d);
    _Complex long double result;
    __real__ result = found.real;
    __imag__ result = found.imaginary;
    return result;
}
