/*
 * What programs do with constructors, jumps between functions, calls and names, and in
 * level_addresses.h with addresses: for test_levels.cpp, which runs each case as native code, in
 * the interpreter and compiled on every level. A case takes a seed and returns a number that
 * depends on all that happened.
 */
#include "kernel_lib/runtime.h"
#include "tests/engine/interpreter_cases.h"
#include "tests/engine/level_addresses.h"
#include <setjmp.h>

/* ---- What runs before and after the program ---- */

volatile uint64_t construction_log; /* so that nobody evaluates it ahead of time */
static void note(unsigned digit) {
    construction_log = construction_log * 10 + digit;
}
__attribute__((constructor)) static void without_priority(void) {
    note(3);
}
__attribute__((constructor(200))) static void second(void) {
    note(2);
}
__attribute__((constructor(101))) static void first(void) {
    note(1);
}
__attribute__((constructor)) static void last(void) {
    note(4);
}
__attribute__((destructor(101))) static void end_last(void) {
    note(9);
}
__attribute__((destructor)) static void end_first(void) {
    note(8);
}

/* ---- Calls that return twice ---- */

static jmp_buf place;
static volatile uint64_t depth_reached;

static NOINLINE void go_down(unsigned n) {
    depth_reached++;
    if (n == 0)
        longjmp(place, 7);
    go_down(n - 1);
    depth_reached += 1000;
}
static uint64_t jump_out(uint64_t seed) {
    volatile uint64_t before = seed;
    depth_reached = 0;
    int value = setjmp(place);
    if (value == 0)
        go_down(seed % 9);
    return test_mix(before, depth_reached * 10 + (uint64_t)value);
}

/* Many times: nothing of the calls that never return may pile up. Others go deep in between. */
static NOINLINE uint64_t climb(unsigned n) {
    return n == 0 ? 1 : climb(n - 1) + n;
}
static uint64_t jump_out_often(uint64_t seed) {
    uint64_t total = seed;
    for (unsigned i = 0; i < 150; i++)
        total = test_mix(total, jump_out(i)) + climb(i % 40);
    return total;
}

/* Past native code, and from one jump into another. */
static NOINLINE uint64_t jump_back(uint64_t x) {
    if (x > 3)
        longjmp(place, (int)x);
    return test_call(jump_back, x + 1);
}
static NOINLINE uint64_t protect(uint64_t x) {
    jmp_buf outer;
    __builtin_memcpy(&outer, &place, sizeof outer);
    int value = setjmp(place);
    uint64_t result = value ? (uint64_t)value : test_call(jump_back, x);
    __builtin_memcpy(&place, &outer, sizeof outer);
    return result;
}
static NOINLINE uint64_t jump_twice(uint64_t x) {
    uint64_t inner = protect(x % 3);
    longjmp(place, (int)inner + 1);
}
static uint64_t nested_jumps(uint64_t seed) {
    int value = setjmp(place);
    if (value == 0)
        return test_call(jump_twice, seed);
    return (uint64_t)value * 100 + seed % 10 + climb(5);
}

/* ---- Small functions that call the next one twice ---- */

static volatile uint64_t sink;
uint64_t double_0(uint64_t x);
NOINLINE static uint64_t touch(uint64_t x) {
    sink = x;
    return sink;
}
uint64_t double_0(uint64_t x) {
    return touch(x) + 1;
}
#define DOUBLE(n, m)                                                                               \
    uint64_t double_##n(uint64_t x);                                                               \
    uint64_t double_##n(uint64_t x) {                                                              \
        return double_##m(x) + double_##m(x + 1);                                                  \
    }
DOUBLE(1, 0)
DOUBLE(2, 1)
DOUBLE(3, 2)
DOUBLE(4, 3)
DOUBLE(5, 4)
DOUBLE(6, 5)
DOUBLE(7, 6)
DOUBLE(8, 7)
DOUBLE(9, 8)
DOUBLE(10, 9)
DOUBLE(11, 10)
DOUBLE(12, 11)
/* Of more than the instructions that are always inlined. */
#define LARGE(n, m)                                                                                \
    uint64_t large_##n(uint64_t x);                                                                \
    uint64_t large_##n(uint64_t x) {                                                               \
        sink = x, sink = x + 1, sink = x + 2, sink = x + 3, sink = x + 4, sink = x + 5;            \
        sink = x, sink = x + 1, sink = x + 2, sink = x + 3, sink = x + 4, sink = x + 5;            \
        sink = x * 3, sink = x * 5;                                                                \
        return large_##m(x) + large_##m(x + 1) + large_##m(x + 2) + large_##m(x + 3);              \
    }
uint64_t large_0(uint64_t x);
uint64_t large_0(uint64_t x) {
    return touch(x) * 3;
}
LARGE(1, 0)
LARGE(2, 1)
LARGE(3, 2)
LARGE(4, 3)
LARGE(5, 4)
LARGE(6, 5)

static uint64_t doubling(uint64_t seed) {
    return double_12(seed) + large_5(seed);
}

/* ---- Arithmetic that the front end calls functions for ---- */

static uint64_t complex_numbers(uint64_t seed) {
    volatile _Complex double a = test_double(seed, 1) + 1.0i * test_double(seed, 2);
    volatile _Complex double b = test_double(seed, 3) + 1.0i * test_double(seed, 4);
    volatile _Complex float c = a, d = b;
    volatile _Complex double results[] = {a * b, a / b, c * d, c / d};
    uint64_t total = seed;
    for (size_t i = 0; i < SIZE(results); i++) {
        double parts[2] = {__real__ results[i], __imag__ results[i]};
        for (size_t k = 0; k < 2; k++)
            if (parts[k] == parts[k]) /* all that are no number are the same */
                total = test_mix(total, test_bytes(&parts[k], sizeof parts[k]));
    }
    return total;
}

/* ---- Names that the assembler would keep within one object ---- */

static uint64_t assemblers_numbers[] __asm__(".Lnumbers") = {3, 5, 7};
static NOINLINE uint64_t assemblers_function(uint64_t x) __asm__(".Lfunction");
static NOINLINE uint64_t assemblers_function(uint64_t x) {
    return test_mix(x, assemblers_numbers[x % SIZE(assemblers_numbers)]++);
}

static uint64_t assemblers_names(uint64_t seed) {
    uint64_t total = assemblers_function(seed);
    for (size_t i = 0; i < SIZE(assemblers_numbers); i++)
        total = assemblers_function(total + assemblers_numbers[i]);
    return total;
}

/* ---- Functions of the C library's names that the program defines itself ---- */

static NOINLINE size_t own_length(const char *text) __asm__("strlen");
static NOINLINE void *own_fill(void *to, int value, size_t size) __asm__("memset");
static NOINLINE size_t own_length(const char *text) {
    const char *end = text;
    while (*end)
        end++;
    return (size_t)(end - text);
}
static NOINLINE void *own_fill(void *to, int value, size_t size) {
    char *bytes = to;
    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)value;
    return to;
}

static uint64_t own_library(uint64_t seed) {
    char letters[40] = {0};
    own_fill(letters, 'a' + (int)(seed % 20), seed % sizeof letters);
    return test_mix(own_length(letters), test_bytes(letters, sizeof letters));
}

/* ---- */

#define CASE(name) {#name, name}
const struct test_case CASE_TABLE(level_cases)[] = {
    CASE(addresses_in_tables), CASE(label_table), CASE(label_differences),
    CASE(labels_as_values),    CASE(aliases),     CASE(alignments),
    CASE(thread_locals),       CASE(jump_out),    CASE(jump_out_often),
    CASE(nested_jumps),        CASE(doubling),    CASE(complex_numbers),
    CASE(assemblers_names),    CASE(own_library), {NULL, NULL},
};
