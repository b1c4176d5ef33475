/*
 * Calls from the interpreter to code outside it.
 */
#pragma once
#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

namespace jit {

/* Whether a value of this type is passed in one register or stack word: integers up to 64 bits,
 * float, double, pointers. */
bool is_scalar(const llvm::Type *type);

class NativeCalls {
  public:
    /* module gets the external functions that stand for calls. */
    explicit NativeCalls(llvm::Module &module) : module_(module) {}

    /* Writes a call of target: arguments are scalars, result is one or void. */
    llvm::Value *call(llvm::IRBuilderBase &builder, llvm::Value *target, llvm::Type *result,
                      llvm::ArrayRef<llvm::Value *> arguments);
    /* Replaces inline assembly by instructions that do the same. False when it is not known. */
    bool replace_assembly(llvm::CallBase &original);
    /* Replaces another call by this one. Returns nullptr, or the reason why it cannot (a string
     * constant). */
    const char *replace(llvm::CallBase &original);

  private:
    llvm::Function *external(llvm::FunctionType *type);

    llvm::Module &module_;
    llvm::DenseMap<llvm::FunctionType *, llvm::Function *> externals_;
};

} // namespace jit
