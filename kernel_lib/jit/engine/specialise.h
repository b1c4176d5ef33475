/*
 * Copies of a function for arguments that it is often called with.
 */
#pragma once
#include "kernel_lib/jit/engine/extract.h"
#include "kernel_lib/jit/function.h"

namespace jit {

/* Copies original for the tuples of arguments that profile has seen, and returns a function that
 * jumps to the one that fits, or to general. general itself when there is no such tuple. */
llvm::Function &specialise(Extraction &extraction, const llvm::Function &original,
                           llvm::Function &general, const jit_function &profile);

} // namespace jit
