/*
 * Where the functions of libraries keep their callers' return addresses: what the build has made of
 * their .eh_frame (site_scons/bareflow/kernel/unwind_table.py). Other code of the kernel has frame
 * pointers, and is not in it.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

struct unwind_row {
    bool by_frame_pointer;  /* RBP, otherwise RSP, is so many words below the caller's RSP; */
    uint32_t words;         /* the return address is one word below that */
    uint32_t saved_pointer; /* the caller's RBP is so many words below it; 0: RBP still has it */
};

/* False when the function that holds the address is not in the table. */
bool unwind_table_find(uint64_t address, struct unwind_row *row);
