/*
 * Functions of the C library whose results LLVM would calculate with the C library that it is
 * itself linked with, or replace by those of others. Programs have those of their own library.
 */
#pragma once
#include "llvm/IR/Module.h"

namespace jit {

/* Whether a function of this name is one of them. */
bool is_library_function(llvm::StringRef name);

/*
 * Makes calls of the library's functions of what the module asks LLVM for, its intrinsics: for
 * scalars from half to long double, and for each element of vectors. LLVM takes the functions'
 * calls, and those through pointers, for calls of any function (nobuiltin) from then on.
 *
 * Two more have other results when they are calculated ahead of time: products that are added
 * become two operations (llvm.fmuladd), and integer powers those of the compiler's own library.
 */
void call_library_functions(llvm::Module &module);

} // namespace jit
