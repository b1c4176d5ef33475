/*
 * LLVM-libc's math.h, with hyperbolic functions of double (kernel_lib/hosted/hyperbolic.c), and one
 * that is not there, because C++'s <complex> names it even if nobody calls it.
 */
#include_next <math.h>

#pragma once

#ifdef __cplusplus
extern "C" {
#endif
double acosh(double x);
double asinh(double x);
double atanh(double x);
double cosh(double x);
double sinh(double x);
double tanh(double x);
long double atan2l(long double y, long double x);
#ifdef __cplusplus
}
#endif
