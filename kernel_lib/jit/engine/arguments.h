/*
 * Values of the interpreter in registers and stack words, as the System V ABI places them (3.2.3):
 * integers and pointers, floats and doubles.
 */
#pragma once
#include "kernel_lib/jit/engine/enter.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ExecutionEngine/GenericValue.h"
#include "llvm/IR/Function.h"

namespace jit {

/* Places arguments, first to last. Integers have 64 bits. */
class ArgumentWriter {
  public:
    explicit ArgumentWriter(struct jit_registers &registers) : registers_(registers) {}
    void add(const llvm::Type *type, const llvm::GenericValue &value);
    /* After the last one; what was placed is valid as long as the writer lives. */
    void finish();
    size_t stack_words() const { return stack_.size(); }

  private:
    struct jit_registers &registers_;
    size_t integers_ = 0, vectors_ = 0;
    llvm::SmallVector<uint64_t, 8> stack_;
};

/* Takes arguments out again, first to last. */
class ArgumentReader {
  public:
    explicit ArgumentReader(const struct jit_registers &registers) : registers_(registers) {}
    llvm::GenericValue next(const llvm::Type *type);

  private:
    const struct jit_registers &registers_;
    size_t integers_ = 0, vectors_ = 0, stack_ = 0;
};

/* The result of a call; nothing for void. */
llvm::GenericValue read_result(const struct jit_registers &registers, const llvm::Type *type);
/* Leaves it where the function's callers look for it. */
void write_result(struct jit_registers &registers, const llvm::Function &function,
                  const llvm::GenericValue &value);

} // namespace jit
