/*
 * What happens when a function, a part of one, or data is needed that the trim removed. trap_stub.h
 * says what stands in their places: each causes an exception.
 */
#pragma once
#include "kernel_lib/error.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Called for every #UD, with RIP and RSP as they were. Returns if RIP is at no trap stub. Otherwise
 * the function's name is written to /profile/MISSES.TXT, and the way out is taken if there is one.
 * If there is none, the console says which function called which, and removed_take_over() ends the
 * program.
 */
void trap_stub_called(uint64_t rip, uint64_t rsp);

/* The same for a #BP in a removed part of a function, or in one that was removed from a copy of the
 * kernel (removed_functions.h). The name is that in a backtrace: the kernel has no other one. */
void removed_part_reached(uint64_t rip, uint64_t rsp);

/* The same for a page fault at an address that stands for removed data. */
void removed_data_used(uint64_t address, uint64_t rip, uint64_t rsp);

/* The same for a page fault at this RIP, in a function that was removed from a copy of the kernel
 * and whose page has been given to the heap. */
void removed_page_reached(uint64_t rip, uint64_t rsp);

/* Gives the heap those pages of a trimmed copy in which nothing but removed functions is left. */
void removed_pages_to_heap(void);

/* A use of what was removed: its name, and the function that used it. */
struct removed_call {
    const char *name, *caller; /* valid until the next use */
    bool noted;                /* in /profile/MISSES.TXT */
    struct error error;        /* why it is not noted */
};

/* Sets the function to which these lead from now on. It runs on the program's stack, leaves
 * whatever has made the call, and does not return. NULL: there is no way out. */
void removed_set_way_out(void (*way_out)(const struct removed_call *call));

/* Restarts the machine with the disk's other kernel, which has all functions. Stops with code 1 if
 * there is none. */
_Noreturn void removed_take_over(void);

#ifdef __cplusplus
}
#endif
