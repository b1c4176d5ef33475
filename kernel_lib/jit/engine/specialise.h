/*
 * Clones of a function for argument values that it is often called with.
 */
#pragma once
#include "kernel_lib/jit/values.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/IR/Function.h"

namespace jit {

/* Makes a clone of a function, in its module, whose body uses these constants instead of its
 * parameters (nullptr: keeps the parameter). */
using MakeClone = llvm::function_ref<llvm::Function &(const llvm::Twine &name,
                                                      llvm::ArrayRef<llvm::Constant *> values)>;

/* Has clones made for the frequent argument values of the profile, and returns a function that
 * jumps to the clone whose values it is called with, or to general. general itself when the
 * profile has no values. */
llvm::Function &specialise(llvm::Function &general, const jit_value_profile &profile,
                           MakeClone make_clone);

} // namespace jit
