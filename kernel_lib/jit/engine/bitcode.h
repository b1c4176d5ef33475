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
    /* Called before app_main, and after it, in this order. */
    std::vector<llvm::Function *> constructors, destructors;
};

/* Parses the application's bitcode and LLVM-libc's and makes one module of them. Of LLVM-libc it
 * has only what the application refers to: functions as available_externally, under the names that
 * the application uses. They can be inlined, and calls of them reach the host symbols. Symbols that
 * were local to a file become global, with names of their own. An application that was made
 * elsewhere gets what the build does with its own (library_functions.h). Panics when the bitcode is
 * damaged. */
Bitcode load_bitcode(llvm::LLVMContext &context, llvm::StringRef application, llvm::StringRef libc,
                     bool made_elsewhere = false);

} // namespace jit
