/*
 * GDT, TSS with interrupt stacks, IDT (Intel SDM vol. 3, 3.5, 8.7 and 6.14).
 */
#pragma once
#include <stdint.h>

#define SELECTOR_CODE 0x08 /* of 64-bit code */

/*
 * Interrupt stacks, each with an unmapped guard page below it:
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
#define INTERRUPT_STACK_SIZE 16384 /* an exception report needs up to 8 KiB, most of it printf */

/* Address of the guard page of stack 1 to INTERRUPT_STACKS; the stack is the INTERRUPT_STACK_SIZE
 * bytes that follow the page. */
uintptr_t interrupt_stack_guard(enum interrupt_stack stack);

/* The tops of the stacks, in the table that the CPU reads: the next interrupt begins there. */
extern struct interrupt_stack_top {
    uint64_t address;
} __attribute__((packed)) *const interrupt_stack_tops; /* [0] is stack 1's */

/* Fills the tables and loads them. */
void descriptors_start(void);

/* Loads GDT, segment registers, task register and IDT again, for code that has been in another
 * mode. The bases of FS and GS stay. Interrupts must be off. */
void descriptors_load(void);
