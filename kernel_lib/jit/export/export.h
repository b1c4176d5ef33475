/*
 * The running program writes its native successor: a kernel without LLVM, made of the application
 * compiled as one module and of the kernel's other half, which the build has put into this kernel
 * as one relocatable object.
 */
#pragma once
#include "kernel_lib/jit/engine/program.h"
#include "kernel_lib/jit/export/learnt.h"
#include "kernel_lib/jit/successors.h"
#include <vector>
extern "C" {
#include "kernel_lib/error.h"
}

namespace jit {

struct NativeKernel {
    std::vector<char> file; /* boot/kernel_header.h, compressed */
    Learnt learnt;
    size_t compiled = 0; /* functions that the build's code was not good for */
};

/* The kernel of the application for a boot without a JIT, with what a profile's text says. What
 * LLVM gives up, a lack of memory, and a go_on() that returns false are errors; the program goes on
 * as it was. */
llvm::Expected<NativeKernel> native_kernel(Program &program, llvm::StringRef profile,
                                           jit_go_on *go_on);

/* Makes the kernel that jit_write_native() would write, and keeps only its profile. False and
 * *error if it cannot. */
bool rehearse_export(jit_go_on *go_on, struct error *error);

} // namespace jit
