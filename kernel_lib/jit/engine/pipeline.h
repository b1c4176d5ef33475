/*
 * LLVM's passes and code generator, set up for each level.
 */
#pragma once
#include "kernel_lib/jit/function.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>

namespace jit {

/* LLVM's description of this machine's baseline, for code of this level. Code for more says so in
 * its functions' attributes. */
llvm::Expected<std::unique_ptr<llvm::TargetMachine>>
make_target_machine(const llvm::Triple &triple, jit_level level, llvm::Reloc::Model relocation);

/* The library functions that LLVM may call or replace: those that exist and are exact. */
llvm::TargetLibraryInfoImpl callable_library(const llvm::Triple &triple,
                                             llvm::function_ref<bool(llvm::StringRef)> exists);

class Pipeline {
  public:
    /* For modules with this triple. `exists` tells whether a library function can be called. */
    Pipeline(const llvm::Triple &triple, llvm::function_ref<bool(llvm::StringRef)> exists);
    ~Pipeline();

    /* Optimises the module and makes an object of it. */
    llvm::Expected<llvm::SmallVector<char, 0>> run(llvm::Module &module, jit_level level);

    /* Forgets passes and code generators: those that were left in the middle of their work are in
     * no state to be used again. */
    void abandon();

  private:
    struct Level;
    llvm::Expected<Level *> at(const llvm::Triple &triple, jit_level level);

    llvm::TargetLibraryInfoImpl library;
    std::unique_ptr<Level> levels[JIT_LEVELS];
};

} // namespace jit
