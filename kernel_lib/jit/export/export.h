/*
 * The running program writes its native successor: a kernel without LLVM, made of the application
 * compiled as one module and of the kernel's other half, which the build has put into this kernel
 * as one relocatable object.
 */
#pragma once
#include "kernel_lib/jit/engine/program.h"
#include <vector>

namespace jit {

/* The kernel file (boot/kernel_header.h) of the application for a boot without a JIT. What LLVM
 * gives up, and a lack of memory, are errors; the program goes on as it was. */
llvm::Expected<std::vector<char>> native_kernel(Program &program);

} // namespace jit
