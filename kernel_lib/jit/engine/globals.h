/*
 * The application's global variables. They have memory of their own, to which all versions of its
 * functions refer.
 */
#pragma once
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/Module.h"
#include "llvm/Transforms/Utils/ValueMapper.h"
#include <functional>

namespace jit {

/* The address of a symbol; nullptr when it is not known. */
using AddressOf = std::function<void *(const llvm::GlobalValue &)>;
using SetAddress = llvm::function_ref<void(const llvm::GlobalVariable &, void *)>;

/* Memory for every variable that the module defines. */
class Globals {
  public:
    /* Allocates it and reports each variable's address. */
    Globals(const llvm::Module &module, SetAddress set_address);
    /* Writes the initial values; from then on the constants cannot be written. */
    void initialise(const llvm::Module &module, const AddressOf &address_of);

  private:
    char *constants_;
    size_t constants_size_ = 0;
};

/* For clones of code and constants: replaces symbols by their addresses, as integers made pointers.
 * Intrinsics stay. */
class Addresses : public llvm::ValueMaterializer {
  public:
    explicit Addresses(AddressOf address_of) : address_of_(std::move(address_of)) {}
    /* Whether all symbols so far had an address. */
    bool complete() const { return complete_; }

    llvm::Value *materialize(llvm::Value *value) override;
    /* The constant with its symbols replaced, and folded as far as possible. */
    llvm::Constant *map(llvm::Constant *constant, const llvm::DataLayout &layout);

  private:
    AddressOf address_of_;
    bool complete_ = true;
};

/* The constant for a pointer to an address. */
llvm::Constant *pointer_constant(const void *address, llvm::PointerType *type);

} // namespace jit
