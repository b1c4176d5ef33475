/* The table of functions that the build puts into the kernel. */
#pragma once
#include <stdint.h>

/* In section .symbols, behind the other read-only data: the functions in ascending order of their
 * addresses, which are relative to the kernel's; then the names in the same order, each ended by a
 * zero byte. */
extern const struct kernel_symbols {
    uint32_t count;
    uint32_t starts[];
} kernel_symbols;

/* One bit for each of them, lowest bit first: the ELF does not say how long it is, so it may be
 * data or a place within a function. */
extern const uint8_t kernel_unsized_symbols[];

/* Room for coverage.c: a byte, a bit and a number for each of them. */
extern uint8_t kernel_symbol_bytes[], kernel_symbol_bits[];
extern uint32_t kernel_symbol_order[];

struct symbol {
    const char *name; /* NULL when the address is in no known function */
    uintptr_t offset; /* from the function's start */
};

/* The place in kernel_symbols of the function that holds address. */
#define SYMBOL_NONE UINT32_MAX
uint32_t symbol_index(uintptr_t address);

/* The function that holds address. */
struct symbol symbol_find(uintptr_t address);
