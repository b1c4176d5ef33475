/*
 * Which instructions LLVM's Interpreter is known to run correctly.
 */
#pragma once
#include "llvm/IR/Instruction.h"

namespace jit {

/* The alignment of what the interpreter's alloca allocates. */
constexpr uint64_t MALLOC_ALIGNMENT = 16;

/* nullptr when it can run the instruction, otherwise the reason, a string constant. The instruction
 * has no symbols, and its calls are of external functions (lower.h). */
const char *why_not_interpretable(const llvm::Instruction &instruction);

} // namespace jit
