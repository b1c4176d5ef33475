/*
 * Calls of every kind, between interpreted functions and to native code: for test_interpreter.cpp,
 * which runs each case in the interpreter and as native code. A case takes a seed and returns a
 * number that depends on all that happened.
 */
#include "kernel_lib/runtime.h"
#include "tests/engine/interpreter_cases.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

/* ---- Recursion ---- */

static NOINLINE uint64_t fibonacci(unsigned n) {
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
static uint64_t recursion(uint64_t seed) {
    return fibonacci(seed % 12);
}

/* More deeply nested than the interpreter allows. */
static NOINLINE uint64_t deep(unsigned n) {
    return n == 0 ? 0 : test_mix(deep(n - 1), n);
}
static uint64_t deep_recursion(uint64_t seed) {
    return deep(300 + seed % 8);
}

/* ---- Pointers to functions ---- */

typedef uint64_t function(uint64_t);
static NOINLINE uint64_t twice(uint64_t x) {
    return 2 * x;
}
static NOINLINE uint64_t plus_one(uint64_t x) {
    return x + 1;
}
static NOINLINE uint64_t square(uint64_t x) {
    return x * x;
}
static function *const operations[] = {twice, plus_one, square};
static uint64_t function_table(uint64_t seed) {
    uint64_t value = seed;
    for (unsigned i = 0; i < 9; i++)
        value = operations[(value ^ i) % 3](value);
    return value + (operations[1] == plus_one) + (operations[0] != plus_one);
}

/* Native code calls back, and the callback calls native code, and so on. */
static NOINLINE uint64_t countdown(uint64_t n) {
    return n == 0 ? 1 : test_mix(n, test_call(countdown, n - 1));
}
static uint64_t callbacks(uint64_t seed) {
    return countdown(seed % 20);
}
static NOINLINE int by_value(const void *a, const void *b) {
    const int32_t *x = a, *y = b;
    return *x < *y ? -1 : *x > *y;
}
static uint64_t sorting(uint64_t seed) {
    int32_t numbers[20];
    for (unsigned i = 0; i < 20; i++)
        numbers[i] = (int32_t)test_mix(seed, i);
    qsort(numbers, 20, sizeof *numbers, by_value);
    uint64_t total = 0;
    for (unsigned i = 0; i < 20; i++)
        total = test_mix(total, (uint32_t)numbers[i]);
    return total;
}

/* ---- Narrow integers ---- */

static NOINLINE bool negate(bool value) {
    return !value;
}
static NOINLINE signed char half_char(signed char x) {
    return (signed char)(x / 2);
}
static NOINLINE unsigned char half_byte(unsigned char x) {
    return x / 2;
}
static NOINLINE short half_short(short x) {
    return (short)(x / 2);
}
static NOINLINE int half_int(int x) {
    return x / 2;
}
static uint64_t narrow(uint64_t seed) {
    bool flag = negate(seed & 1);
    long a = half_char((signed char)seed), b = half_byte((unsigned char)seed);
    long c = half_short((short)seed), d = half_int((int)seed);
    uint64_t outside = test_narrow((signed char)seed, (unsigned char)seed, (short)seed,
                                   (unsigned short)seed, flag, (int)seed);
    return test_mix((uint64_t)(a + 1000 * b + 1000000 * c) + flag, (uint64_t)d) + outside;
}
static uint64_t narrow_results(uint64_t seed) {
    long a = test_signed_char(seed), b = test_bool(seed), c = test_int(seed);
    return (uint64_t)(a * 1000 + b * 100 + (a == -1)) + (uint64_t)c * 7 + (c < 0);
}

/* ---- Many arguments ---- */

static NOINLINE uint64_t eight(int a, long b, char c, unsigned d, uint64_t e, short f, int g,
                               long h) {
    return (uint64_t)(a + 2 * b + 3 * c) + 4 * d + 5 * e + (uint64_t)(6 * f + 7 * g + 8 * h);
}
static NOINLINE double mixed(float a, int b, double c, long d, float e, double f, float g, double h,
                             float i, double j, float k, double l, int m, long n, long o, int p,
                             long q) {
    return a + b * 2 + c * 3 + d * 4 + e * 5 + f * 6 + g * 7 + h * 8 + i * 9 + j * 10 + k * 11 +
           l * 12 + m * 13 + n * 14 + o * 15 + p * 16 + q * 17;
}
static uint64_t many_arguments(uint64_t seed) {
    uint64_t total = eight((int)seed, -2, 'x', 4, seed, -6, (int)(seed >> 7), (long)seed);
    double sum =
        mixed(1.5f, (int)seed, 2.25, -4, 0.5f, 1e3, 3, 4, 5, 6, 7, 8, 9, 10, (long)seed, 12, 13);
    sum += test_mixed(1.5f, (int)seed, 2.25, -4, 0.5f, 1e3, 3, 4, 5, 6, 7, 8, 9, 10, (long)seed, 12,
                      13);
    uint64_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return test_mix(total, bits);
}

/* ---- Varargs ---- */

static uint64_t print(uint64_t seed) {
    char text[200];
    int size = snprintf(text, sizeof text, "%d %s %.3f %lld %c %x %g %5u", (int)seed, "word",
                        (double)(seed % 1000) / 7, (long long)seed, 'A' + (int)(seed % 26),
                        (unsigned)seed, 0.5, (unsigned)(seed % 99));
    uint64_t total = (uint64_t)size;
    for (const char *c = text; *c; c++)
        total = test_mix(total, (unsigned char)*c);
    return total;
}
static NOINLINE long compiled_sum(unsigned count, ...) {
    va_list values;
    long sum = 0;
    va_start(values, count);
    while (count-- > 0)
        sum += va_arg(values, long);
    va_end(values);
    return sum;
}
static uint64_t own_varargs(uint64_t seed) {
    return (uint64_t)compiled_sum(3, (long)seed, 2l, 3l);
}

/* ---- Structures ---- */

struct pair {
    uint64_t a, b;
};
struct triple {
    uint64_t a, b, c;
    char text[12];
};
static NOINLINE struct pair compiled_make_pair(uint64_t a) {
    return (struct pair){a, a + 1};
}
static uint64_t compiled_pair(uint64_t seed) {
    struct pair pair = compiled_make_pair(seed);
    return pair.a * 3 + pair.b;
}
static NOINLINE struct triple make_triple(uint64_t a) { /* through a hidden pointer */
    return (struct triple){a, a + 1, a + 2, "triple"};
}
static NOINLINE uint64_t compiled_take_triple(struct triple triple) {
    return triple.a + 2 * triple.b + 3 * triple.c + (uint64_t)triple.text[2];
}
static NOINLINE uint64_t look_at(const struct triple *triple) {
    return test_mix(triple->a, triple->c) + strlen(triple->text);
}
static uint64_t structures(uint64_t seed) {
    struct triple triple = make_triple(seed), copy = triple;
    copy.c ^= test_triple(&copy);
    return look_at(&triple) + look_at(&copy);
}
static uint64_t compiled_structure_argument(uint64_t seed) {
    return compiled_take_triple(make_triple(seed));
}

/* ---- Memory ---- */

static int counter = 40;
static const char *const words[] = {"no", "one", "two"};
static const struct {
    const char *name;
    function *run;
    double factor;
    const int *number;
    short shorts[3];
} rows[] = {{"a", square, 0.5, &counter, {1, 2, 3}}, {"bc", twice, -2, NULL, {-1}}};
static uint64_t variables(uint64_t seed) {
    counter += (int)(seed % 5);
    uint64_t total = (uint64_t)counter;
    counter = 40;
    for (unsigned i = 0; i < 2; i++) {
        total = test_mix(total, rows[i].run(seed) + (unsigned char)rows[i].name[i]);
        total += (uint64_t)(rows[i].factor * 100) + (uint64_t)rows[i].shorts[seed % 3];
    }
    return total + (uint64_t)*rows[0].number + strlen(words[seed % 3]) + !rows[1].number;
}
static uint64_t blocks(uint64_t seed) {
    char buffer[300], copy[300];
    memset(buffer, (int)seed, sizeof buffer);
    for (unsigned i = 0; i < sizeof buffer; i += 7)
        buffer[i] = (char)test_mix(seed, i);
    memcpy(copy, buffer, sizeof copy);
    memmove(copy + 3, copy, seed % 290);
    uint64_t total = 0;
    for (unsigned i = 0; i < sizeof copy; i++)
        total = test_mix(total, (unsigned char)copy[i]);
    return total;
}
static uint64_t compiled_variable_array(uint64_t seed) {
    uint64_t total = 0;
    for (unsigned size = 1 + seed % 50; size > 0; size /= 2) {
        int array[size];
        for (unsigned i = 0; i < size; i++)
            array[i] = (int)test_mix(seed, i);
        total = test_mix(total, test_bytes(array, sizeof array));
    }
    return total;
}

/* ---- Others ---- */

static uint64_t wide_product(uint64_t seed) {
    unsigned __int128 product = (unsigned __int128)seed * test_mix(seed, 1);
    return (uint64_t)(product >> 64) ^ (uint64_t)(product % 1000003);
}
static uint64_t clock_goes_on(uint64_t seed) {
    uint64_t before = cpu_rdtsc();
    uint64_t hidden = seed;
    __asm__ volatile("" : "+r"(hidden));
    return hidden + (cpu_rdtsc() >= before && before > 1u << 20);
}
static uint64_t floats(uint64_t seed) {
    float x = test_float(seed, 1), sum = 0;
    for (unsigned i = 1; i < 20; i++)
        sum += x / (float)i - (float)(seed >> i) + (float)(int64_t)(seed << i);
    uint32_t bits;
    memcpy(&bits, &sum, sizeof bits);
    return sum == sum ? bits : 1;
}

/* Deeper than the test's options allow; but it cannot be compiled there. */
static uint64_t deep_loops(uint64_t seed) {
    uint64_t total = seed;
    for (unsigned i = 0; i < 1 + seed % 3; i++)
        for (unsigned j = 0; j < 3; j++)
            for (unsigned k = 0; k < 3; k++)
                for (unsigned l = 0; l < 3; l++)
                    total = test_mix(total, i + 10 * j + 100 * k + 1000 * l);
    return total;
}
/* The same, and it can be compiled. */
static uint64_t compiled_deep_loops(uint64_t seed) {
    uint64_t total = 0;
    for (unsigned i = 0; i < 1 + seed % 2; i++)
        for (unsigned j = 0; j < 2; j++)
            for (unsigned k = 0; k < 2; k++)
                for (unsigned l = 0; l < 2; l++)
                    total = test_mix(i + j, total + k + l);
    return total;
}

#define CASE(name) {#name, name}
const struct test_case CASE_TABLE(function_cases)[] = {
    CASE(recursion),
    CASE(deep_recursion),
    CASE(function_table),
    CASE(callbacks),
    CASE(sorting),
    CASE(narrow),
    CASE(narrow_results),
    CASE(many_arguments),
    CASE(print),
    CASE(own_varargs),
    CASE(compiled_pair),
    CASE(structures),
    CASE(compiled_structure_argument),
    CASE(variables),
    CASE(blocks),
    CASE(compiled_variable_array),
    CASE(wide_product),
    CASE(clock_goes_on),
    CASE(floats),
    CASE(deep_loops),
    CASE(compiled_deep_loops),
    {NULL, NULL},
};

/* What cases call: these are checked for running where they should, too. */
#define HELPER(name) {#name, (uint64_t (*)(uint64_t))name}
const struct test_case CASE_TABLE(function_helpers)[] = {
    HELPER(fibonacci),    HELPER(deep),
    HELPER(twice),        HELPER(plus_one),
    HELPER(square),       HELPER(countdown),
    HELPER(by_value),     HELPER(negate),
    HELPER(half_char),    HELPER(half_byte),
    HELPER(half_short),   HELPER(half_int),
    HELPER(eight),        HELPER(mixed),
    HELPER(compiled_sum), HELPER(compiled_make_pair),
    HELPER(make_triple),  HELPER(compiled_take_triple),
    HELPER(look_at),      {NULL, NULL},
};
