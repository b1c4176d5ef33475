/*
 * The application compiled as one module, ahead of its next boot.
 */
#pragma once
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace jit {

/* Optimises the application's bitcode, with what it inlines of LLVM-libc's, as one program and
 * returns its ELF object, which defines app_main. It is position-dependent code, as a kernel has
 * it. `exists` tells whether a library function can be called. */
llvm::Expected<llvm::SmallVector<char, 0>>
compile_application(llvm::StringRef application, llvm::StringRef libc,
                    llvm::function_ref<bool(llvm::StringRef)> exists);

} // namespace jit
