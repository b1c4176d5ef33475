/*
 * The application compiled as one module, ahead of its next boot.
 */
#pragma once
#include "kernel_lib/jit/export/learnt.h"
#include "kernel_lib/jit/successors.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace jit {

struct CompiledApplication {
    llvm::SmallVector<char, 0> object; /* ELF; defines app_main and made_from */
    Learnt learnt;
};

/* Optimises the application's bitcode, with what it inlines of LLVM-libc's, as one program, with
 * what the profile's text says (learnt.h). The code is position-dependent, as a kernel has it.
 * `exists` tells whether a library function can be called. An error when go_on() returns false. */
llvm::Expected<CompiledApplication>
compile_application(llvm::StringRef application, llvm::StringRef libc, llvm::StringRef profile,
                    llvm::function_ref<bool(llvm::StringRef)> exists, jit_go_on *go_on);

} // namespace jit
