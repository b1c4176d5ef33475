/*
 * Getting out of LLVM when it gives up.
 */
#pragma once
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/Error.h"

namespace jit {

/* From now on fatal errors, a lack of memory and errors in the context's code reach recovering().
 * Outside of it the first two end in a panic. */
void recover_from_now_on(llvm::LLVMContext &context);

/* Does the work, which must not call this again. When LLVM gives up in it, what it holds is lost,
 * the work does not return, and the error says why. */
llvm::Error recovering(llvm::function_ref<llvm::Error()> work);

} // namespace jit
