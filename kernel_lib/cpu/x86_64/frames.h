/* Where the registers of an interrupted program are, and how functions set up their frames: what
 * unwinding and exception reports want to know of an architecture. */
#pragma once
#include "interrupt_frame.h"
#include "interrupt_stacks.h"
#include "kernel_lib/debug/unwind.h"

/* Behind PUSH RBP: MOV RBP, RSP, the first byte lowest. */
#define MOV_FRAME_POINTER 0xE58948
#define MOV_FRAME_POINTER_SIZE 3

/* Whether a POP or JMP behind this byte is of one of the registers R8 to R15. */
static inline bool is_rex_b(uint8_t byte) {
    return byte == 0x41;
}

/* Of a handler of interrupts.asm, whose caller's stack pointer this is: what it interrupted. */
static inline const struct interrupt_frame *interrupt_frame_of(uintptr_t stack_pointer,
                                                               uintptr_t end_of_stack) {
    (void)stack_pointer;
    return (const struct interrupt_frame *)end_of_stack - 1;
}

static inline uintptr_t interrupt_return_address(const struct interrupt_frame *saved) {
    return saved->rip;
}

static inline uintptr_t interrupt_stack_pointer(const struct interrupt_frame *saved) {
    return saved->rsp;
}

/* Inline, because a function may have a breakpoint (interrupt_stacks.h). */
__attribute__((always_inline)) static inline struct frame
exception_place(const struct exception_frame *saved) {
    return (struct frame){saved->rip, saved->rsp, saved->rbp, false, false};
}

/* Prints them, and the control registers. */
void exception_print_registers(const struct exception_frame *saved);
