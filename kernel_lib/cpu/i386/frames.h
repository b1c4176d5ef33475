/* Where the registers of an interrupted program are, and how functions set up their frames: what
 * unwinding and exception reports want to know of an architecture. */
#pragma once
#include "interrupt_frame.h"
#include "interrupt_stacks.h"
#include "kernel_lib/debug/unwind.h"

/* Behind PUSH EBP: MOV EBP, ESP, the first byte lowest. */
#define MOV_FRAME_POINTER 0xE589
#define MOV_FRAME_POINTER_SIZE 2

/* Whether a POP or JMP behind this byte is of a register that only x86-64 has. */
static inline bool is_rex_b(uint8_t byte) {
    (void)byte;
    return false;
}

/* Of a handler of interrupts.asm, whose caller's stack pointer this is: what it interrupted. It is
 * the handler's second argument. */
static inline const struct interrupt_frame *interrupt_frame_of(uintptr_t stack_pointer,
                                                               uintptr_t end_of_stack) {
    (void)end_of_stack;
    return ((const struct interrupt_frame *const *)stack_pointer)[1];
}

static inline uintptr_t interrupt_return_address(const struct interrupt_frame *saved) {
    return saved->eip;
}

static inline uintptr_t interrupt_stack_pointer(const struct interrupt_frame *saved) {
    return (uintptr_t)(saved + 1);
}

static inline struct frame exception_place(const struct exception_frame *saved) {
    return (struct frame){saved->eip, saved->esp, saved->ebp, false, false};
}

/* Prints them, and the control registers. */
void exception_print_registers(const struct exception_frame *saved);
