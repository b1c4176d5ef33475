/*
 * The stacks that interrupts run on. Without a change of privilege the CPU stays on the program's
 * stack, unless a task switch brings another (Intel SDM vol. 3, 6.12.2). Page faults and double
 * faults have tasks, because an overflowing stack has no room for their frames. Each of these
 * stacks has an unmapped guard page below it.
 */
#pragma once
#include "kernel_lib/cpu/descriptors.h"

enum interrupt_stack {
    INTERRUPT_STACK_PAGE_FAULT = 1,
    INTERRUPT_STACK_DOUBLE_FAULT,
};
#define INTERRUPT_STACKS 2

/* Breakpoints run on the stack of what they interrupt: nothing overwrites it. */
static inline void keep_breakpoint_stack(uint32_t stack_pointer) {
    (void)stack_pointer;
}
