/* Cases of level_functions.c: addresses in tables and of labels, aliases, alignment, data of
 * threads. */
#pragma once
#include "tests/engine/interpreter_cases.h"

#define NOINLINE __attribute__((noinline))
#define SIZE(array) (sizeof(array) / sizeof *(array))

/* ---- Addresses in initial values ---- */

static struct {
    int first, second;
    struct {
        char letters[8];
        long number;
    } inner[3];
} record;
static int numbers[4];
static const char text[] = "some text";
static NOINLINE uint64_t plus_nine(uint64_t x) {
    return x + 9;
}

static const struct row {
    const char *name;
    int *where;
    uint64_t (*function)(uint64_t);
    const struct row *next;
} rows[] = {
    {"second", &record.second, plus_nine, &rows[1]},
    {&"third"[1], &numbers[2], NULL, &rows[2]},
    {text + 5, numbers + 4, plus_nine, NULL},
};
static long *const nested[2][2] = {{&record.inner[0].number, &record.inner[2].number},
                                   {NULL, &record.inner[1].number}};
static union {
    const char *address;
    long number;
} either[] = {{.address = &record.inner[1].letters[3]}, {.number = 77}};
static uintptr_t as_number[] = {(uintptr_t)&numbers[3], 5};
static const char *volatile const in_constants[] = {&text[2], &"another"[3]};
extern int missing_function(void) __attribute__((weak));
static int (*const if_any[])(void) = {missing_function, missing_function};

static uint64_t addresses_in_tables(uint64_t seed) {
    uint64_t total = 0;
    *rows[0].where = (int)seed;
    *rows[1].where = (int)(seed >> 7);
    *nested[0][1] = (long)test_mix(seed, 1);
    *nested[1][seed % 2 ? 1 : 1] = 13;
    *(char *)either[0].address = (char)seed;
    *(int *)as_number[0] = 41;
    for (const struct row *row = rows; row; row = row->next) {
        for (const char *c = row->name; *c; c++)
            total = test_mix(total, (uint64_t)*c);
        total += (uint64_t)(row->where - (row == rows ? &record.first : numbers));
        total += row->function ? row->function(seed) : 3;
    }
    total = test_mix(total, (uint64_t)record.second + (uint64_t)numbers[2] * 3);
    total = test_mix(total, (uint64_t)record.inner[2].number + (uint64_t)record.inner[1].number);
    total = test_mix(total, (uint64_t)record.inner[1].letters[3] + (uint64_t)numbers[3]);
    for (size_t i = 0; i < SIZE(in_constants); i++)
        total = test_mix(total, (uint64_t)in_constants[i][0]);
    return total + (nested[1][0] == NULL) + (either[1].number == 77) + (if_any[seed % 2] != NULL);
}

/* ---- Addresses of labels ---- */

/* A threaded interpreter with a static table, as in Lua or CPython. */
static uint64_t label_table(uint64_t seed) {
    static const void *const table[] = {&&add, &&twice, &&mix, &&skip, &&end};
    unsigned char code[40];
    uint64_t value = seed;
    size_t i = 0;
    for (size_t k = 0; k < sizeof code; k++)
        code[k] = (unsigned char)(test_mix(seed, k) % 4);
    code[sizeof code - 1] = code[sizeof code - 2] = 4;
#define NEXT goto *table[code[i++]]
    NEXT;
add:
    value += 5;
    NEXT;
twice:
    value *= 2;
    NEXT;
mix:
    value = test_mix(value, i);
    NEXT;
skip:
    i++;
    NEXT;
end:
    return value;
}

/* Differences of labels, which need no relocations. */
static uint64_t label_differences(uint64_t seed) {
    static const int table[] = {&&zero - &&zero, &&one - &&zero, &&two - &&zero};
    uint64_t value = seed;
    for (int i = 0; i < 9; i++) {
        goto *(&&zero + table[test_mix(seed, (uint64_t)i) % 3]);
    zero:
        value = value * 3 + 1;
        continue;
    one:
        value ^= value >> 3;
        continue;
    two:
        value += 100;
    }
    return value;
}

/* Kept in memory and passed on; two labels at one place. */
static NOINLINE void *choose(void *a, void *b, bool first) {
    return first ? a : b;
}
static uint64_t labels_as_values(uint64_t seed) {
    void *volatile where = seed % 3 ? &&here : &&there;
    uint64_t value = 0;
    if (where == &&there)
        value = 7;
    goto *choose(where, &&also_there, seed % 2);
here:
    return value + 1;
also_there:
there:
    return value + 2;
}

/* ---- Aliases ---- */

int aliased = 1;
extern int alias __attribute__((alias("aliased")));
static int hidden_array[3] = {4, 5, 6};
extern int array_alias[3] __attribute__((alias("hidden_array")));
uint64_t alias_target(uint64_t x);
NOINLINE uint64_t alias_target(uint64_t x) {
    return x * 7;
}
uint64_t function_alias(uint64_t x) __attribute__((alias("alias_target")));
uint64_t weak_alias(uint64_t x) __attribute__((weak, alias("alias_target")));
static int *const address_of_alias[] = {&alias, &array_alias[2]};

static uint64_t aliases(uint64_t seed) {
    alias = (int)seed;
    array_alias[1] = (int)(seed >> 5);
    *address_of_alias[1] = 9;
    return function_alias((uint64_t)aliased) + weak_alias(3) + (uint64_t)hidden_array[1] +
           (uint64_t)hidden_array[2] + (address_of_alias[0] == &aliased);
}

/* ---- Alignment ---- */

static _Alignas(8192) char page_pair[8192];
static _Alignas(65536) const char large_constant[3] = {1, 2, 3};
static struct {
    char first;
    _Alignas(16384) char second;
} inside = {1, 2};
__attribute__((aligned(32768))) static NOINLINE uint64_t aligned_function(uint64_t x) {
    return x ^ 1;
}

static uint64_t alignments(uint64_t seed) {
    _Alignas(8192) volatile char local[2] = {(char)seed, 1};
    /* Through memory, or the compiler would compute the remainders from what it knows. */
    const volatile void *volatile places[] = {page_pair, large_constant, &inside.second, local};
    const uintptr_t alignments_of[] = {8192, 65536, 16384, 8192};
    page_pair[seed % 8192] = 1;
    uint64_t total = large_constant[seed % 3] + (uint64_t)inside.second + (uint64_t)local[0];
    for (size_t i = 0; i < SIZE(places); i++)
        total = total * 3 + (uintptr_t)places[i] % alignments_of[i];
    return aligned_function(total);
}

/* ---- Thread-local data ---- */

static _Thread_local uint64_t thread_counter = 5;
static _Thread_local uint64_t thread_zero;
static _Thread_local struct {
    char name[3];
    int numbers[4];
} thread_record = {"ab", {1, 2, 3, 4}};
_Thread_local int thread_global = 8;

static NOINLINE uint64_t next(void) {
    return ++thread_counter;
}
static NOINLINE int *thread_address(size_t i) {
    return &thread_record.numbers[i];
}

static uint64_t thread_locals(uint64_t seed) {
    uint64_t before = thread_counter, zero = thread_zero;
    next();
    next();
    *thread_address(seed % 4) += 2;
    thread_zero += seed;
    thread_global -= 1;
    uint64_t total = thread_counter - before + thread_zero - zero + (uint64_t)thread_record.name[1];
    for (int i = 0; i < 4; i++)
        total = test_mix(total, (uint64_t)thread_record.numbers[i]);
    return total * 3 + (uint64_t)thread_global;
}
