/* Who called whom. */
#pragma once
#include "kernel_lib/debug/unwind.h"

/* Prints "name+0xoffset" for where the frame is, or the bare address where no function is known. */
void backtrace_print_location(const struct frame *frame);

/* Prints the callers of the frame's function, one line for each. Calls from the same place (a
 * recursion) share a line. A caller that is a guess is marked. */
void backtrace_print(struct frame frame);
