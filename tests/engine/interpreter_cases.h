/*
 * What the cases of test_interpreter.cpp are, and the native functions that they call.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Cases and helpers whose names begin with "compiled_" cannot be interpreted, all others can. */
struct test_case {
    const char *name;
    uint64_t (*run)(uint64_t seed);
};

/* The tables, which end with an empty row: function_cases and function_helpers
 * (interpreter_functions.c), instruction_cases (interpreter_instructions.py). The same source is
 * compiled to bitcode and to native code, where the tables' names begin with "native_". */
#ifndef CASE_TABLE
#define CASE_TABLE(name) name
#endif

/* A number that depends on both in all bits. */
uint64_t test_mix(uint64_t a, uint64_t b);
/* Ordinary and special values. */
float test_float(uint64_t seed, uint64_t index);
double test_double(uint64_t seed, uint64_t index);
uint64_t test_call(uint64_t (*function)(uint64_t), uint64_t argument);
uint64_t test_bytes(const void *bytes, size_t size);
uint64_t test_triple(void *triple);
/* Arguments and results as clang passes them. */
uint64_t test_narrow(signed char a, unsigned char b, short c, unsigned short d, bool e, int f);
signed char test_signed_char(uint64_t seed);
bool test_bool(uint64_t seed);
int test_int(uint64_t seed);
double test_mixed(float a, int b, double c, long d, float e, double f, float g, double h, float i,
                  double j, float k, double l, int m, long n, long o, int p, long q);

#ifdef __cplusplus
}
#endif
