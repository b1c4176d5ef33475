/* The names that the compiler gives quotients of complex numbers: where an engine is, its table of
 * host symbols has them (site_scons/bareflow/engine/host_symbols.py). */
#include "kernel_lib/hosted/complex_division.h"

_Complex float __divsc3(float a, float b, float c, float d);
_Complex double __divdc3(double a, double b, double c, double d);
_Complex long double __divxc3(long double a, long double b, long double c, long double d);

_Complex float __divsc3(float a, float b, float c, float d) {
    return complex_quotient_float(a, b, c, d);
}

_Complex double __divdc3(double a, double b, double c, double d) {
    return complex_quotient(a, b, c, d);
}

_Complex long double __divxc3(long double a, long double b, long double c, long double d) {
    return complex_quotient_long(a, b, c, d);
}
