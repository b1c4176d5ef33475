/* From a function's frame to its caller's, at any instruction. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct frame {
    uintptr_t instruction;
    uintptr_t stack_pointer, frame_pointer; /* RSP and RBP there, or ESP and EBP */
    bool is_call;                           /* instruction is a return address */
    bool is_guess;                          /* this caller is not certain */
};

/* An address within the frame's instruction. Of a return address it is one within the call: another
 * function may begin behind a call that never returns. */
uintptr_t frame_address(const struct frame *frame);

/* Makes the frame its caller's. Reads only the kernel's stacks, and accepts only return addresses
 * that are in code. False when there is no such caller. */
bool unwind(struct frame *frame);
