/*
 * Which calls are inlined when many functions are compiled together: by the same rules as in a
 * function that the JIT compiles alone (extract.h).
 */
#pragma once
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/IR/Module.h"

namespace jit {

/* Marks the calls of the functions that are compiled (precompiled.h), and of what is inlined into
 * these, that the passes are to inline: those of small functions, and of larger ones with one call
 * site, unless they are never called. Returns what is inlined and not compiled by itself. */
llvm::SmallPtrSet<llvm::Function *, 32> choose_inlined(llvm::Module &module);

} // namespace jit
