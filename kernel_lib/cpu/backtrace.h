/* Who called whom. */
#pragma once
#include <stdint.h>

/* Prints "name+0xoffset" for a code address, or the bare address where no function is known. */
void backtrace_print_location(uint64_t address);

/* Prints the callers of code that was at instruction with these values of RBP and RSP: one line for
 * each frame on the chain that starts at frame_pointer, frames of the same call (a recursion) as
 * one. Follows only what lies on one of the kernel's stacks. When instruction is in no function,
 * because a call went astray, the caller is what lies at stack_pointer. */
void backtrace_print(uint64_t instruction, uint64_t frame_pointer, uint64_t stack_pointer);
