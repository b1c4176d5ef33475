#include "kernel_lib/jit/engine/memory_manager.h"
#include "kernel_lib/jit/engine/kernel.h"
#include "llvm/ExecutionEngine/JITLink/JITLink.h"

namespace jit {

using llvm::Error;
using llvm::jitlink::LinkGraph;
using llvm::orc::MemProt;
LLVM_ENABLE_BITMASK_ENUMS_IN_NAMESPACE();

namespace {

Error protect(char *begin, size_t size, memory_access access) {
    error error;
    if (memory_protect(reinterpret_cast<uintptr_t>(begin), size, access, &error))
        return Error::success();
    return llvm::createStringError(error.text);
}

/* Consecutive pages that get the same access in the end. */
struct Range {
    char *begin;
    size_t size;
    memory_access access;
};

/* Neither what is to be writable and executable, nor what nothing may touch, is a part of compiled
 * code. */
llvm::Expected<memory_access> access_for(MemProt protection) {
    if (protection == MemProt::Read)
        return MEMORY_READ;
    if (protection == (MemProt::Read | MemProt::Write))
        return MEMORY_READ_WRITE;
    if (protection == (MemProt::Read | MemProt::Exec))
        return MEMORY_READ_EXECUTE;
    return llvm::createStringError("a section with unexpected access");
}

} // namespace

/* Pages whose content is being written. */
class MemoryManager::InFlight : public InFlightAlloc {
  public:
    InFlight(MemoryManager &manager, Pages *pages, llvm::SmallVector<Range, 3> ranges)
        : manager(manager), pages(pages), ranges(std::move(ranges)) {}

    void finalize(OnFinalizedFunction done) override {
        for (const Range &range : ranges)
            if (Error error = protect(range.begin, range.size, range.access)) {
                done(llvm::joinErrors(std::move(error), manager.give_back(pages)));
                return;
            }
        done(FinalizedAlloc(llvm::orc::ExecutorAddr::fromPtr(pages)));
    }

    void abandon(OnAbandonedFunction done) override { done(manager.give_back(pages)); }

  private:
    MemoryManager &manager;
    Pages *pages;
    llvm::SmallVector<Range, 3> ranges;
};

MemoryManager::Pages *MemoryManager::take(size_t size) {
    auto *begin = static_cast<char *>(std::aligned_alloc(PAGE_SIZE, size));
    if (!begin)
        return nullptr;
    std::memset(begin, 0, size);
    used_bytes += size;
    return new Pages{begin, size};
}

Error MemoryManager::give_back(Pages *pages) {
    /* Memory that cannot be written again is lost, but must not reach the heap. */
    if (Error error = protect(pages->begin, pages->size, MEMORY_READ_WRITE))
        return error;
    std::free(pages->begin);
    used_bytes -= pages->size;
    delete pages;
    return Error::success();
}

void MemoryManager::allocate(const llvm::jitlink::JITLinkDylib *, LinkGraph &graph,
                             OnAllocatedFunction done) {
    llvm::jitlink::BasicLayout layout(graph);
    auto sizes = layout.getContiguousPageBasedLayoutSizes(PAGE_SIZE);
    if (!sizes) {
        done(sizes.takeError());
        return;
    }
    Pages *pages = take(sizes->total());
    if (!pages) {
        done(llvm::createStringError("no memory for %zu KiB of code",
                                     static_cast<size_t>(sizes->total() / 1024)));
        return;
    }
    llvm::SmallVector<Range, 3> ranges;
    Error failure = Error::success();
    char *next = pages->begin;
    for (auto &[group, segment] : layout.segments()) {
        auto access = access_for(group.getMemProt());
        if (!access) {
            failure = llvm::joinErrors(std::move(failure), access.takeError());
            continue;
        }
        segment.Addr = llvm::orc::ExecutorAddr::fromPtr(next);
        segment.WorkingMem = next;
        size_t size = llvm::alignTo(segment.ContentSize + segment.ZeroFillSize, PAGE_SIZE);
        ranges.push_back({next, size, *access});
        next += size;
    }
    if (!failure)
        failure = layout.apply();
    if (failure)
        done(llvm::joinErrors(std::move(failure), give_back(pages)));
    else
        done(std::make_unique<InFlight>(*this, pages, std::move(ranges)));
}

void MemoryManager::deallocate(std::vector<FinalizedAlloc> allocations,
                               OnDeallocatedFunction done) {
    Error failure = Error::success();
    for (FinalizedAlloc &allocation : allocations)
        failure =
            llvm::joinErrors(std::move(failure), give_back(allocation.release().toPtr<Pages *>()));
    done(std::move(failure));
}

} // namespace jit
