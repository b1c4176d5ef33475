/*
 * Compiles one version of one function.
 */
#pragma once
#include "kernel_lib/jit/code.h"
#include "kernel_lib/jit/engine/pipeline.h"
#include "kernel_lib/jit/engine/program.h"

namespace jit {

class Compiler {
  public:
    explicit Compiler(Program &program);

    /* The object (ENTRY_SYMBOL in it) of the entry's function with code's body, on code's level and
     * with its options. code.specialised says whether there shall be clones for frequent argument
     * values, and afterwards whether there are any. */
    llvm::Expected<llvm::SmallVector<char, 0>> compile(const Entry &entry, jit_code &code);

    /* Whose features JIT_ALL_FEATURES are: a processor as LLVM calls it; empty: this machine's. */
    void set_processor(llvm::StringRef name) { processor = name; }

  private:
    std::unique_ptr<llvm::Module> build(const Entry &entry, jit_code &code);

    Program &program;
    Pipeline pipeline;
    std::string processor;
    const llvm::LLVMContext *context = nullptr; /* that the pipeline has worked in */
};

} // namespace jit
