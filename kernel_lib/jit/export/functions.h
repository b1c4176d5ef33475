/*
 * What an export asks about functions.
 */
#pragma once
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/IR/Function.h"

namespace jit {

/* Calls visit with each function that has code and that a call in the body names, once for each
 * call. */
void for_each_callee(llvm::Function &body, llvm::function_ref<void(llvm::Function &)> visit);

bool has_loop(llvm::Function &function);
/* Whether the instruction may run several times in one call of its function. */
bool is_in_loop(llvm::Instruction &instruction);

} // namespace jit
