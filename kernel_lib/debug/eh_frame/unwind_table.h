/*
 * Where the functions of libraries keep their callers' return addresses: what the build has made of
 * their .eh_frame (site_scons/bareflow/kernel/unwind_table.py). Other code of the kernel has frame
 * pointers, and is not in it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct unwind_row {
    bool by_frame_pointer;  /* words counts from RBP, otherwise from RSP */
    uint32_t words;         /* up to the caller's RSP; the return address is the word below that */
    uint32_t saved_pointer; /* words from there down to the caller's RBP; 0: RBP still has it */
};

/* False when the function that holds the address is not in the table. */
bool unwind_table_find(uint64_t address, struct unwind_row *row);
