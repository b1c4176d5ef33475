/*
 * Takes functions out of the application's module into one of their own, which has only what they
 * refer to: a module of all would cost more to copy than most functions to compile.
 */
#pragma once
#include "kernel_lib/jit/engine/expansion.h"
#include "kernel_lib/jit/function.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/IR/Module.h"
#include "llvm/Transforms/Utils/ValueMapper.h"
#include <memory>

namespace jit {

/* Whether the function is called from one place alone, and not too large to be made a part of its
 * caller on the highest level. */
bool is_part_of_caller(const llvm::Function &function);

class Extraction : private llvm::ValueMaterializer {
  public:
    explicit Extraction(const llvm::Module &source);

    /* A local function with function's body. Where `values` has a constant for a parameter, the
     * body uses that instead; the parameter stays, so the type does, too. */
    llvm::Function &clone(const llvm::Function &function, const llvm::Twine &name,
                          llvm::ArrayRef<llvm::Constant *> values = {});

    /* Gives constants their values, and the functions that are to be inlined their bodies, as
     * available_externally: code and memory of all of them are elsewhere. Inlined are, at O0, tiny
     * functions, whose calls cost more than they do; from O1 on those that are not too large; at O3
     * also larger ones with one call site. Expansion limits how much a function grows. */
    void add_what_may_be_inlined(jit_level level);

    llvm::Module &module() { return *target; }
    std::unique_ptr<llvm::Module> take() { return std::move(target); }

  private:
    llvm::Value *materialize(llvm::Value *value) override;
    llvm::GlobalValue *declare(const llvm::GlobalValue &global);
    void add_value(const llvm::GlobalVariable &variable);
    void fill(const llvm::Function &from, llvm::Function &to,
              llvm::ArrayRef<llvm::Constant *> values);

    std::unique_ptr<llvm::Module> target;
    llvm::DenseMap<const llvm::GlobalValue *, llvm::GlobalValue *> declared;
    /* In the order in which they were met, which makes the object the same every time. */
    llvm::SmallVector<const llvm::GlobalValue *, 32> met;
    Expansion expansion;
};

} // namespace jit
