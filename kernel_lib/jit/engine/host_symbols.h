/*
 * The host symbols: names of the kernel that bitcode and compiled code may refer to, with their
 * addresses. They are what the application uses of kernel_lib and LLVM-libc, and what code
 * generation adds calls of (memcpy, fmodf, ...). The build writes the table.
 */
#pragma once
#include <stddef.h>

extern "C" {

struct jit_host_symbol {
    const char *name;
    void *address;
};

extern const struct jit_host_symbol jit_host_symbols[]; /* sorted by name, as strcmp sorts */
extern const size_t jit_host_symbol_count;
}

namespace jit {

/* The address of a host symbol; nullptr when there is none of this name. */
void *host_symbol_address(const char *name);

} // namespace jit
