/*
 * The kernel's own table of functions (kernel_lib/debug/symbols.h), made when it is linked. Its
 * size must be known before the layout, its contents are known after it.
 */
#pragma once
#include "llvm/ExecutionEngine/JITLink/JITLink.h"
#include <vector>

namespace jit {

class SymbolTable {
  public:
    /* Collects the functions of the graphs that is_live says are linked, and makes a graph with
     * room for the table and the symbols by which the kernel knows it. */
    std::unique_ptr<llvm::jitlink::LinkGraph>
    make_graph(llvm::ArrayRef<std::unique_ptr<llvm::jitlink::LinkGraph>> graphs,
               llvm::function_ref<bool(llvm::jitlink::Block *)> is_live,
               std::shared_ptr<llvm::orc::SymbolStringPool> names);

    /* Fills the table in: the functions' addresses, relative to start, are known now. */
    void fill(uint64_t start);

  private:
    void collect(llvm::jitlink::LinkGraph &graph,
                 llvm::function_ref<bool(llvm::jitlink::Block *)> is_live);

    std::vector<llvm::jitlink::Symbol *> functions;
    llvm::jitlink::Block *table = nullptr;
};

} // namespace jit
