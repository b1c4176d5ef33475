/* Who called whom. */
#pragma once
#include "kernel_lib/debug/unwind.h"

/* Prints "name+0xoffset" for where the frame is, or the bare address where no function is known. */
void backtrace_print_location(const struct frame *frame);

/* Prints the callers of the frame's function: one line for each, calls from the same place (a
 * recursion) as one. A caller of which it is not known for certain that it is one is marked. */
void backtrace_print(struct frame frame);
