/*
 * Clones of a function for argument values that it is often called with.
 */
#pragma once
#include "kernel_lib/jit/engine/extract.h"
#include "kernel_lib/jit/values.h"

namespace jit {

/* Clones original for the frequent argument values of the profile, and returns a function that
 * jumps to the clone whose values it is called with, or to general. general itself when the
 * profile has no values. */
llvm::Function &specialise(Extraction &extraction, const llvm::Function &original,
                           llvm::Function &general, const jit_value_profile &profile);

} // namespace jit
