/* LLVM-libc's math.h, with hyperbolic functions of double (kernel_lib/hosted/hyperbolic.c). */
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
#ifdef __cplusplus
}
#endif
