/* Code outside of the kernel's image, as a JIT makes it: for the names in backtraces. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct code_range {
    uintptr_t begin, end;
    /* Within it, code that never moves the stack pointer; all other functions begin with PUSH RBP,
     * MOV RBP, RSP. */
    uintptr_t frameless_begin, frameless_end;
    /* Prints the function's name. In an exception: it may only read. frame_pointer is RBP of the
     * function that holds the address. */
    void (*print)(const struct code_range *range, uintptr_t address, uintptr_t frame_pointer);
    struct code_range *next;
};

/* Adds a range that is filled in, and stays until it is removed. An exception at any moment finds
 * the list whole. */
void code_range_add(struct code_range *range);
void code_range_remove(struct code_range *range);

/* The range that holds an address, or NULL. */
const struct code_range *code_range_find(uintptr_t address);

#ifdef __cplusplus
}
#endif
