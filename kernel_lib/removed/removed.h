/*
 * Calls of functions that the trim removed, parts of functions, and uses of data. Such a function
 * is a stub: ud2 and four bytes with its id (site_scons/bareflow/trim/trim_object.py); such a part
 * is int3 throughout; such data is at an address where there is never memory (removed_data.py).
 */
#pragma once
#include "kernel_lib/error.h"
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Called for every #UD, with RIP and RSP as they were. Returns if that was no stub. Otherwise its
 * name is written to /profile/MISSES.TXT, and the way out is taken, if there is one; else the
 * console says which function was called by which, and removed_take_over() ends the program.
 */
void removed_function_called(uint64_t rip, uint64_t rsp);

/* The same for a #BP, if it was in a removed part of a function. The name is that in a backtrace,
 * the only one that the kernel has of a function that stays. */
void removed_part_reached(uint64_t rip, uint64_t rsp);

/* The same for a page fault at address, if removed data seems to be there. */
void removed_data_used(uint64_t address, uint64_t rip, uint64_t rsp);

/* A call of a removed function, a part of one that was reached, or a use of data. */
struct removed_call {
    const char *name, *caller; /* valid until the next one */
    bool noted;
    struct error error; /* why it is not */
};

/* Where these lead from now on, on the program's stack: out of whatever made them. It does not
 * return. NULL: there is no way out. */
void removed_set_way_out(void (*way_out)(const struct removed_call *call));

/* Boots the disk's other kernel, which has all functions; without one, stops with code 1. */
_Noreturn void removed_take_over(void);

#ifdef __cplusplus
}
#endif
