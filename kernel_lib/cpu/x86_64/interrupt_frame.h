/*
 * What interrupts.asm and C share: the size of an entry stub, and what an interrupt leaves on the
 * stack.
 */
#pragma once
#include <stdint.h>

#define INTERRUPT_STUB_SIZE 8 /* bytes from one vector's entry point to the next */

/* What the CPU pushes without an error code, and the entry stub below it. */
struct interrupt_frame {
    uint64_t vector;
    uint64_t rip, cs, rflags, rsp, ss;
};

/* What exception_dispatch gets: the registers as they were, and what the CPU pushes, with an error
 * code always. */
struct exception_frame {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8, rdi, rsi, rdx, rcx, rax;
    uint64_t vector, error_code;
    uint64_t rip, cs, rflags, rsp, ss;
};
