/*
 * An interpreter as those of scripting languages are: one call of one function, whose loop takes an
 * instruction after the other, runs a whole program. That one computes the Fibonacci number of
 * argument 1 as often as argument 2 says, and prints each result; with a third argument, also the
 * microseconds that it took.
 */
#include "bytecode.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum operation { SET, MOVE, ADD, SUBTRACT, SKIP_UNLESS_LESS, JUMP, CALL, RETURN, PRINT, END };

/* The registers of a call are those of its caller's from number a of its CALL on. */
struct instruction {
    uint8_t operation, a, b, c;
    int32_t number;
};

#define FIB 8 /* where the function begins */

static struct instruction program[] = {
    /* while (0 < r0) { r3 = r1; r3 = fib(r3); print(r3); r0 = r0 - 1; } */
    {SET, 2, 0, 0, 0},
    {SKIP_UNLESS_LESS, 2, 0, 0, 5},
    {MOVE, 3, 1, 0, 0},
    {CALL, 3, 0, 0, FIB},
    {PRINT, 3, 0, 0, 0},
    {SUBTRACT, 0, 0, 0, 1},
    {JUMP, 0, 0, 0, -6},
    {END, 0, 0, 0, 0},
    /* r0 = r0 < 2 ? r0 : fib(r0 - 1) + fib(r0 - 2) */
    {SET, 1, 0, 0, 2},
    {SKIP_UNLESS_LESS, 0, 1, 0, 1},
    {RETURN, 0, 0, 0, 0},
    {SUBTRACT, 1, 0, 0, 1},
    {CALL, 1, 0, 0, FIB},
    {SUBTRACT, 2, 0, 0, 2},
    {CALL, 2, 0, 0, FIB},
    {ADD, 0, 1, 2, 0},
    {RETURN, 0, 0, 0, 0},
};

static bool tells_time;

static void print(int64_t number) {
    static clock_t before;
    clock_t now = clock();
    printf("%lld", (long long)number);
    if (tells_time)
        printf(" %lld", (long long)((now - before) * (1000000 / CLOCKS_PER_SEC)));
    printf("\n");
    before = clock();
}

static void run(const struct instruction *next, int64_t *registers) {
    struct {
        const struct instruction *next;
        int64_t *registers;
    } calls[64];
    size_t depth = 0;
    for (;;) {
        struct instruction i = *next++;
        int64_t *r = registers;
        switch (i.operation) {
        case SET:
            r[i.a] = i.number;
            break;
        case MOVE:
            r[i.a] = r[i.b];
            break;
        case ADD:
            r[i.a] = r[i.b] + r[i.c];
            break;
        case SUBTRACT:
            r[i.a] = r[i.b] - i.number;
            break;
        case SKIP_UNLESS_LESS:
            if (r[i.a] >= r[i.b])
                next += i.number;
            break;
        case JUMP:
            next += i.number;
            break;
        case CALL:
            calls[depth].next = next;
            calls[depth++].registers = registers;
            registers += i.a;
            next = program + i.number;
            break;
        case RETURN:
            next = calls[--depth].next;
            registers = calls[depth].registers;
            break;
        case PRINT:
            print(r[i.a]);
            break;
        default:
            return;
        }
    }
}

int run_bytecode(int argc, char **argv) {
    static int64_t registers[256];
    if (argc < 3)
        return EXIT_FAILURE;
    registers[1] = atoi(argv[1]);
    registers[0] = atoi(argv[2]);
    tells_time = argc > 3;
    run(program, registers);
    return EXIT_SUCCESS;
}
