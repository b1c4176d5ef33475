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
    /* The same of a continuation, which goes on from this head of the function's loops
     * (loops.h). */
    llvm::Expected<llvm::SmallVector<char, 0>> compile_continuation(const Entry &entry,
                                                                    jit_level level, size_t head);

    /* Whose features JIT_ALL_FEATURES are: a processor as LLVM calls it; empty: this machine's. */
    void set_processor(llvm::StringRef name) { processor = name; }

  private:
    using Build = llvm::function_ref<std::unique_ptr<llvm::Module>()>;

    std::unique_ptr<llvm::Module> build(const Entry &entry, jit_code &code);
    std::unique_ptr<llvm::Module> build_continuation(const Entry &entry, jit_level level,
                                                     size_t head);
    llvm::Expected<llvm::SmallVector<char, 0>> compile(jit_level level, Build build);

    Program &program;
    Pipeline pipeline;
    std::string processor;
    const llvm::LLVMContext *context = nullptr; /* that the pipeline has worked in */
};

} // namespace jit
