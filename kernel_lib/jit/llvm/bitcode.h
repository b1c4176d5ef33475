/*
 * From the embedded bitcode to the one module that the program is compiled from.
 */
#pragma once
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include <memory>
#include <vector>

namespace jit {

/* Parses the application's bitcode and LLVM-libc's and makes one module of them. Of LLVM-libc only
 * what the application refers to comes in: functions as available_externally, under the names that
 * the application calls them by, so that they can be inlined while calls reach their native
 * addresses. All that was local to a file becomes global, under a name of its own. functions gets
 * the application's, in the order of its bitcode. Panics when the bitcode is no good. */
std::unique_ptr<llvm::Module> load_bitcode(llvm::LLVMContext &context, llvm::StringRef application,
                                           llvm::StringRef libc,
                                           std::vector<llvm::Function *> &functions);

} // namespace jit
