/* From a function's frame to its caller's, at any instruction. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct frame {
    uint64_t instruction;
    uint64_t stack_pointer, frame_pointer; /* RSP and RBP there */
    bool is_call;  /* instruction is a return address: the call before it is under way */
    bool is_guess; /* who called is not known for certain */
};

/* An address within the instruction that the frame is at: behind a call that never returns may be
 * another function. */
uint64_t frame_address(const struct frame *frame);

/* Makes the frame its caller's. False when there is none, or none that can be relied on: what it
 * reads lies on one of the kernel's stacks, and where it leads is code. */
bool unwind(struct frame *frame);
