/*
 * The native functions that bitcode may call: those of kernel_lib and LLVM-libc that the
 * application names, and those that code generation makes calls of (memcpy, fmodf, ...). The build
 * writes the table.
 */
#pragma once
#include <stddef.h>

extern "C" {

struct jit_native {
    const char *name;
    void *address;
};

extern const struct jit_native jit_natives[]; /* sorted by name, as strcmp sorts */
extern const size_t jit_native_count;
}

namespace jit {

/* The address of the native function or variable, or nullptr. */
void *native_address(const char *name);

} // namespace jit
