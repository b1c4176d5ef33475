/*
 * Conversions that the compiler calls and its runtime library lacks: between half or bfloat and
 * other types. Each rounds once, to nearest. They are weak, because libgcc has some of them.
 */
#include <stdint.h>
#include <string.h>

#ifdef __SIZEOF_INT128__

typedef __int128 integer;
typedef unsigned __int128 natural;

__attribute__((weak)) integer __fixhfti(_Float16 x);
__attribute__((weak)) natural __fixunshfti(_Float16 x);
__attribute__((weak)) _Float16 __floattihf(integer x);
__attribute__((weak)) _Float16 __floatuntihf(natural x);

integer __fixhfti(_Float16 x) {
    return (int64_t)x; /* half ends at 65504 */
}

natural __fixunshfti(_Float16 x) {
    return x > 0 ? (uint64_t)x : 0;
}

#define TOO_LARGE ((integer)1 << 32) /* for half; and double holds all below */

_Float16 __floattihf(integer x) {
    if (x > TOO_LARGE || x < -TOO_LARGE)
        x = x < 0 ? -TOO_LARGE : TOO_LARGE;
    return (_Float16)(double)(int64_t)x;
}

_Float16 __floatuntihf(natural x) {
    return __floattihf(x > (natural)TOO_LARGE ? TOO_LARGE : (integer)x);
}

#endif

__attribute__((weak)) __bf16 __truncxfbf2(long double x);

/* By way of a double that is odd where it is not exact, so that the second rounding sees it. */
__bf16 __truncxfbf2(long double x) {
    double rounded = (double)x;
    uint64_t bits;
    memcpy(&bits, &rounded, sizeof bits);
    if (x == x && (long double)rounded != x && !(bits & 1)) {
        int64_t away = (long double)rounded < x ? 1 : -1;
        bits += (uint64_t)(rounded < 0 ? -away : away);
        memcpy(&rounded, &bits, sizeof rounded);
    }
    return (__bf16)rounded;
}
