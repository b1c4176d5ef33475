/*
 * The application's hot functions compiled together, ahead of its next boot.
 */
#pragma once
#include "kernel_lib/jit/export/learnt.h"
#include "kernel_lib/jit/successors.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace jit {

struct CompiledApplication {
    /* ELF; defines made_from, and functions that take the place of those that the build has
     * compiled (precompiled.h). */
    llvm::SmallVector<char, 0> object;
    Learnt learnt;
    size_t functions; /* so many */
};

/* Optimises those functions of the application's bitcode that run often, with what they inline of
 * LLVM-libc's, as the profile's text says (learnt.h). The code is position-dependent, as a kernel
 * has it. `exists` tells whether a library function can be called. An error when go_on() returns
 * false. */
llvm::Expected<CompiledApplication>
compile_application(llvm::StringRef application, llvm::StringRef libc, llvm::StringRef profile,
                    llvm::function_ref<bool(llvm::StringRef)> exists, jit_go_on *go_on);

} // namespace jit
