/* Function names for backtraces. */
#pragma once
#include <stdint.h>

struct symbol {
    const char *name; /* NULL when the address is in no known function */
    uint64_t offset;  /* from the function's start */
};

/* The function that holds address. */
struct symbol symbol_find(uint64_t address);
