/*
 * Which definition each global name of several objects stands for (ELF: symbol resolution).
 */
#pragma once
#include "llvm/ADT/StringMap.h"
#include "llvm/ExecutionEngine/JITLink/JITLink.h"

namespace jit {

class Definitions {
  public:
    /* Adds the symbols of this scope or a wider one that the graph defines. Of a weak and a strong
     * definition the strong one counts, of two weak ones the first. An error when there are two
     * strong ones. */
    llvm::Error add(llvm::jitlink::LinkGraph &graph, llvm::jitlink::Scope scope);

    /* The definition that a reference to the symbol means; nullptr when there is none. */
    llvm::jitlink::Symbol *of(llvm::jitlink::Symbol &symbol) const;

  private:
    llvm::StringMap<llvm::jitlink::Symbol *> global;
};

} // namespace jit
