/*
 * Quotients of complex numbers, (a + bi) / (c + di), which the front end calls functions for. Those
 * of the compiler's library divide by the sum of two squares: where that overflows or vanishes, the
 * quotient is lost although it could be represented. Infinities and NaNs follow C17, annex G.5.1.
 */
#pragma once

_Complex float complex_quotient_float(float a, float b, float c, float d);
_Complex double complex_quotient(double a, double b, double c, double d);
_Complex long double complex_quotient_long(long double a, long double b, long double c,
                                           long double d);
