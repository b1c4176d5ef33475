/*
 * LLVM-libc's functions as the variant compiles them, under names that begin with own_, beside
 * those of the host's C library, which says what is right. What the C standard leaves open is not
 * compared.
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Prints what differs, printf's way, and ends the test. */
#define DIFFER(...) (fprintf(stderr, __VA_ARGS__), fputc('\n', stderr), exit(1))

/* What own functions set as errno. */
extern int own_errno;

/* xorshift64*, Vigna 2016: the same numbers in every run. */
static inline uint64_t random_bits(void) {
    static uint64_t state = 0x9E3779B97F4A7C15u;
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1Du;
}

/* Of 0 to limit - 1. */
static inline unsigned random_below(unsigned limit) {
    return (unsigned)(random_bits() >> 33) % limit;
}

/* size bytes that end where memory ends: whoever reads or writes one more is killed. number 0 to 3
 * tells blocks apart; a block is good until the next one of its number. */
void *fenced(int number, size_t size);
