/*
 * Code that is generated otherwise than the source says (enum jit_codegen_options).
 */
#pragma once
#include "llvm/IR/Module.h"

namespace jit {

/* Lets all functions of the module use what a processor has (JIT_ALL_FEATURES); without a name what
 * this one has and the operating system has enabled. */
void use_all_features(llvm::Module &module, llvm::StringRef processor);

/* Lets the function use what a processor has, by LLVM's names: features are "+avx,-sha". */
void use_features(llvm::Function &function, llvm::StringRef processor, llvm::StringRef features);

/* Takes away what forbids to unroll or vectorise loops (JIT_FREE_LOOPS). */
void free_loops(llvm::Module &module);
void free_loops(llvm::Function &function);

} // namespace jit
