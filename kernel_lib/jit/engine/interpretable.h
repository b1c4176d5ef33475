/*
 * What LLVM's Interpreter is known to run, and to run rightly.
 */
#pragma once
#include "llvm/IR/Instruction.h"

namespace jit {

/* Of what the interpreter's alloca makes. */
constexpr uint64_t MALLOC_ALIGNMENT = 16;

/* nullptr when it can run the instruction; otherwise why not, as a string constant. For
 * instructions without symbols in them, and for calls whose functions are external (lower.h). */
const char *why_not_interpretable(const llvm::Instruction &instruction);

} // namespace jit
