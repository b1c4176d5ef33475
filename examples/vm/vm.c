/*
 * A small virtual machine: programs of bytecode that work on a stack. Its loop is what interpreters
 * of languages have at their heart.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define STACK 1024
#define LOCALS 4 /* of each call; the first one is its argument */

enum op { PUSH, LOAD, STORE, ADD, SUB, MOD, LESS, JUMP, JUMP_UNLESS, CALL, RETURN, HALT };

/* An instruction. */
struct code {
    enum op op;
    int32_t operand; /* a number, a local, or the place to go on */
};

/* fib(n) = n < 2 ? n : fib(n - 1) + fib(n - 2) */
static const struct code fib[] = {
    {CALL, 2}, {HALT, 0},                                /*  0 */
    {LOAD, 0}, {PUSH, 2},   {LESS, 0}, {JUMP_UNLESS, 8}, /*  2 */
    {LOAD, 0}, {RETURN, 0},                              /*  6 */
    {LOAD, 0}, {PUSH, 1},   {SUB, 0},  {CALL, 2},        /*  8 */
    {LOAD, 0}, {PUSH, 2},   {SUB, 0},  {CALL, 2},        /* 12 */
    {ADD, 0},  {RETURN, 0},                              /* 16 */
};

/* How many primes are below n. The locals: n, candidate, divisor, count. */
static const struct code primes[] = {
    {CALL, 2}, {HALT, 0},                                             /*  0 */
    {PUSH, 0}, {STORE, 3},  {PUSH, 2}, {STORE, 1},                    /*  2 */
    {LOAD, 1}, {LOAD, 0},   {LESS, 0}, {JUMP_UNLESS, 34},             /*  6: each candidate */
    {PUSH, 2}, {STORE, 2},                                            /* 10 */
    {LOAD, 2}, {LOAD, 1},   {LESS, 0}, {JUMP_UNLESS, 25},             /* 12: each divisor */
    {LOAD, 1}, {LOAD, 2},   {MOD, 0},  {JUMP_UNLESS, 29},             /* 16 */
    {LOAD, 2}, {PUSH, 1},   {ADD, 0},  {STORE, 2},        {JUMP, 12}, /* 20 */
    {LOAD, 3}, {PUSH, 1},   {ADD, 0},  {STORE, 3},                    /* 25: a prime */
    {LOAD, 1}, {PUSH, 1},   {ADD, 0},  {STORE, 1},        {JUMP, 6},  /* 29 */
    {LOAD, 3}, {RETURN, 0},                                           /* 34 */
};

/* Instructions that have run. */
static uint64_t steps;

static void overflow(void) {
    fprintf(stderr, "the program's stack is full\n");
    exit(1);
}

/* Runs the program with this argument on its stack; returns what is there in the end. */
static int64_t run(const struct code *program, int64_t argument) {
    static int64_t stack[STACK];
    int64_t *top = stack, *locals = stack;
    const struct code *at = program;
    *top = argument;
    for (;; steps++) {
        struct code now = *at++;
        switch (now.op) {
        case PUSH:
            *++top = now.operand;
            break;
        case LOAD:
            *++top = locals[now.operand];
            break;
        case STORE:
            locals[now.operand] = *top--;
            break;
        case ADD:
            top--;
            top[0] += top[1];
            break;
        case SUB:
            top--;
            top[0] -= top[1];
            break;
        case MOD:
            top--;
            top[0] %= top[1];
            break;
        case LESS:
            top--;
            top[0] = top[0] < top[1];
            break;
        case JUMP:
            at = program + now.operand;
            break;
        case JUMP_UNLESS:
            if (*top-- == 0)
                at = program + now.operand;
            break;
        case CALL: /* above the locals: where to go on, and the caller's locals */
            if (top + LOCALS + 8 > stack + STACK)
                overflow();
            top[LOCALS] = at - program;
            top[LOCALS + 1] = locals - stack;
            locals = top;
            top += LOCALS + 1;
            at = program + now.operand;
            break;
        case RETURN: {
            int64_t result = *top;
            top = locals;
            at = program + top[LOCALS];
            locals = stack + top[LOCALS + 1];
            *top = result;
            break;
        }
        case HALT:
            return *top;
        }
    }
}

int main(int argc, char **argv) {
    int size = argc > 1 ? atoi(argv[1]) : 20;
    printf("fib(%d) = %lld\n", size, (long long)run(fib, size));
    printf("%lld primes below %d\n", (long long)run(primes, 50 * size), 50 * size);
    printf("%llu instructions\n", (unsigned long long)steps);
}
