/*
 * From an object's bytes to code in memory: JITLink with our memory.
 */
#pragma once
#include "kernel_lib/jit/engine/debug_object.h"
#include "kernel_lib/jit/engine/memory_manager.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace jit {

/* Where an object's code begins: the one symbol by which it is found. */
inline constexpr char ENTRY_SYMBOL[] = "jit_entry";

/* Linked code, which stays until it is given to Linker::unlink. */
struct LinkedCode {
    void *entry;
    size_t entry_size;
    const char *begin; /* of all its memory, code and constants */
    size_t size;
    llvm::SmallVector<CodeSymbol, 0> functions; /* by the object's names */
    llvm::jitlink::JITLinkMemoryManager::FinalizedAlloc memory;
};

class Linker {
  public:
    /* The address of a symbol that the object does not define; nullptr when there is none. */
    using Resolve = llvm::function_ref<void *(llvm::StringRef symbol)>;

    Linker();
    llvm::Expected<LinkedCode> link(llvm::MemoryBufferRef object, Resolve resolve);
    /* Frees the memory of code that nothing runs or calls. */
    llvm::Error unlink(LinkedCode code);
    /* Call it after a long jump has left a link. */
    void abandon();

    /* Memory of all linked code, in whole pages. */
    size_t used() const { return memory.used(); }

  private:
    MemoryManager memory;
    std::shared_ptr<llvm::orc::SymbolStringPool> names;
};

} // namespace jit
