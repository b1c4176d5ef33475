/*
 * What programs do with addresses, labels, aliases, threads, constructors and jumps between
 * functions: for test_levels.cpp, which runs each case as native code, in the interpreter and
 * compiled on every level. A case takes a seed and returns a number that depends on all that
 * happened.
 */
#include "kernel_lib/runtime.h"
#include "tests/engine/interpreter_cases.h"
#include <setjmp.h>

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
    {"third" + 1, &numbers[2], NULL, &rows[2]},
    {text + 5, numbers + 4, plus_nine, NULL},
};
static long *const nested[2][2] = {{&record.inner[0].number, &record.inner[2].number},
                                   {NULL, &record.inner[1].number}};
static union {
    const char *address;
    long number;
} either[] = {{.address = &record.inner[1].letters[3]}, {.number = 77}};
static uintptr_t as_number[] = {(uintptr_t)&numbers[3], 5};
static const char *volatile const in_constants[] = {&text[2], "another" + 3};
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
