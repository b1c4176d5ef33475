/* Code outside of the kernel's image, as a JIT makes it: backtraces name its functions. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct code_range {
    uintptr_t begin, end;
    /* The part of it whose code never moves the stack pointer. All other functions begin with PUSH
     * RBP, MOV RBP, RSP. */
    uintptr_t frameless_begin, frameless_end;
    /* Prints the name of the function that holds the address; frame_pointer is that function's RBP.
     * It is called in exceptions, so it may only read. */
    void (*print)(const struct code_range *range, uintptr_t address, uintptr_t frame_pointer);
    struct code_range *next;
};

/* Adds a range, which is filled in and must stay until it is removed. An exception at any moment
 * finds a valid list. */
void code_range_add(struct code_range *range);
void code_range_remove(struct code_range *range);

/* The range that holds an address, or NULL. */
const struct code_range *code_range_find(uintptr_t address);

#ifdef __cplusplus
}
#endif
