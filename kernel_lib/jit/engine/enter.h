/*
 * Assembly around the interpreter (enter.asm): in and out of the System V calling convention.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

extern "C" {

/* What a call passes and returns. enter.asm has the layout from here. */
struct jit_registers {
    uint64_t integers[6];                     /* rdi, rsi, rdx, rcx, r8, r9 */
    uint64_t rax;                             /* al: vector registers used, for varargs */
    const uint64_t *stack;                    /* arguments for which no register was left */
    alignas(16) unsigned char vectors[8][16]; /* xmm0 to xmm7 */
    uint64_t integer_result;                  /* rax */
    uint64_t float_result;                    /* the low half of xmm0 */
};

/* Reentry trampolines jump here, with the function's index in r11d. It calls jit_entered. C++
 * cannot call it. */
void jit_enter(void);
/* Within it, where that returns to. The word below its saved RBP is the index. */
extern const char __jit_enter_called[];

/* Runs the function in the interpreter, leaves its result in *registers and returns nullptr; or
 * returns the address of compiled code, which then is jumped to with the registers as they were. */
void *jit_entered(uint32_t index, struct jit_registers *registers);

/* Calls target with the registers, and with stack_words of registers->stack on the stack. */
void jit_call(struct jit_registers *registers, void *target, size_t stack_words);
}
