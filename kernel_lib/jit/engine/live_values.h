/*
 * Where a loop's live values are in live_values, for the code that leaves the loop and for its
 * continuation.
 */
#pragma once
#include "kernel_lib/jit/engine/loops.h"
#include "llvm/IR/IRBuilder.h"

namespace jit {

/* Whether live_values has room for them, and all have types that memory can hold. */
bool can_be_kept(const LoopHead &head);

/* Write code that stores the values, in order, and that loads them. */
void store_live(llvm::IRBuilderBase &builder, const LoopHead &head, llvm::Constant *memory);
std::vector<llvm::Value *> load_live(llvm::IRBuilderBase &builder, const LoopHead &head,
                                     llvm::Constant *memory);

} // namespace jit
