/*
 * Memory for compiled code: pages of the heap, written first and then made executable or read-only.
 * They are never both writable and executable.
 */
#pragma once
#include "llvm/ExecutionEngine/JITLink/JITLinkMemoryManager.h"

namespace jit {

class MemoryManager : public llvm::jitlink::JITLinkMemoryManager {
  public:
    /* An allocation that was finalised: FinalizedAlloc's address points to one of these. */
    struct Pages {
        char *begin;
        size_t size;
    };

    void allocate(const llvm::jitlink::JITLinkDylib *dylib, llvm::jitlink::LinkGraph &graph,
                  OnAllocatedFunction done) override;
    void deallocate(std::vector<FinalizedAlloc> allocations, OnDeallocatedFunction done) override;

    /* Bytes of all pages that are not freed yet. */
    size_t used() const { return used_bytes; }

  private:
    class InFlight;
    Pages *take(size_t size);
    llvm::Error give_back(Pages *pages);
    size_t used_bytes = 0;
};

} // namespace jit
