/* The stacks that interrupts run on. */
#pragma once
#include "kernel_lib/cpu/descriptors.h"

/*
 * Each has an unmapped guard page below it:
 *   exceptions   so that a stack overflow can be reported
 *   last resort  double fault, NMI and machine check may come while an exception is being reported
 *   IRQs         so that their frames are on no stack of the program's
 *   breakpoints  the functions that report an exception may have some (coverage.h)
 */
enum interrupt_stack {
    INTERRUPT_STACK_EXCEPTION = 1, /* the numbers are those of the IDT's IST field */
    INTERRUPT_STACK_LAST_RESORT,
    INTERRUPT_STACK_IRQ,
    INTERRUPT_STACK_BREAKPOINT,
};
#define INTERRUPT_STACKS 4

/* The tops of the stacks, in the table that the CPU reads: the next interrupt begins there. */
extern struct interrupt_stack_top {
    uint64_t address;
} __attribute__((packed)) *const interrupt_stack_tops; /* [0] is stack 1's */

#define RED_ZONE 128 /* below the stack pointer; functions may use it (System V ABI, 3.2.2) */

/* Before an exception is reported: if it interrupted a breakpoint's handler, what is on the
 * breakpoints' stack is kept. The functions that report may have breakpoints (coverage.h), which
 * begin below it from here on. Inline, because a function may have a breakpoint itself. */
__attribute__((always_inline)) static inline void keep_breakpoint_stack(uint64_t stack_pointer) {
    struct interrupt_stack_top *top = &interrupt_stack_tops[INTERRUPT_STACK_BREAKPOINT - 1];
    if (stack_pointer < top->address && stack_pointer >= top->address - INTERRUPT_STACK_SIZE)
        top->address = (stack_pointer - RED_ZONE) & ~15ull;
}
