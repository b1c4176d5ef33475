/*
 * What bench.c measures: small functions, compiled ahead of time as everything is.
 */
#pragma once
#include <stdint.h>

/* Hides a value from the compiler, which then neither folds nor moves the work. */
static inline uint64_t opaque(uint64_t value) {
    __asm__ volatile("" : "+r"(value));
    return value;
}

/* The n-th Fibonacci number, by two calls of itself. */
__attribute__((noinline)) uint64_t fibonacci(uint64_t n);
/* 1 + 2 + ... + n, one by one. */
__attribute__((noinline)) uint64_t sum_to_n(uint64_t n);
/* The number of primes up to limit, by trial division. */
__attribute__((noinline)) uint64_t count_primes(uint64_t limit);
__attribute__((noinline)) void do_nothing(void);
