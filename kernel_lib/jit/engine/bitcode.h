/*
 * From the embedded bitcode to the one module that the program is compiled from.
 */
#pragma once
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include <memory>
#include <vector>

namespace jit {

struct Bitcode {
    std::unique_ptr<llvm::Module> module;
    /* The application's, in the order of its bitcode. */
    std::vector<llvm::Function *> functions;
    /* What is to be called before app_main, and what after it, in this order. */
    std::vector<llvm::Function *> constructors, destructors;
};

/* Parses the application's bitcode and LLVM-libc's and makes one module of them. Of LLVM-libc only
 * what the application refers to comes in: functions as available_externally, under the names that
 * the application calls them by, so that they can be inlined while calls reach their native
 * addresses. All that was local to a file becomes global, under a name of its own. Panics when the
 * bitcode is no good. */
Bitcode load_bitcode(llvm::LLVMContext &context, llvm::StringRef application, llvm::StringRef libc);

} // namespace jit
