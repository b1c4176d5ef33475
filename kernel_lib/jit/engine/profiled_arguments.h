/*
 * Which of a function's arguments the value profile records.
 */
#pragma once
#include "kernel_lib/jit/function.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Function.h"

namespace jit {

/* Whether values of this type are recorded: integers of up to 64 bits are. */
bool is_profiled(const llvm::Type *type);

/* The parameters of such types, the first JIT_ARGUMENTS of them, in order. */
llvm::SmallVector<llvm::Argument *, JIT_ARGUMENTS> profiled_arguments(llvm::Function &function);

} // namespace jit
