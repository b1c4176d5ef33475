#include "kernel_lib/jit/engine/linker.h"
#include "llvm/ExecutionEngine/JITLink/JITLink.h"
#include "llvm/ExecutionEngine/Orc/SymbolStringPool.h"

namespace jit {

using llvm::Error;
using namespace llvm::jitlink;

namespace {

/* One link. JITLink reports through callbacks, which all have come when link() returns, as lookup()
 * answers at once. */
class Context : public JITLinkContext {
  public:
    Context(MemoryManager &memory, Linker::Resolve resolve, llvm::Expected<LinkedCode> &result)
        : JITLinkContext(nullptr), memory(memory), resolve(resolve), result(result) {}

    JITLinkMemoryManager &getMemoryManager() override { return memory; }

    void notifyFailed(Error error) override { result = std::move(error); }

    void lookup(const LookupMap &symbols,
                std::unique_ptr<JITLinkAsyncLookupContinuation> continuation) override {
        AsyncLookupResult found;
        for (const auto &[name, flags] : symbols) {
            void *address = resolve(*name);
            if (!address && flags == SymbolLookupFlags::RequiredSymbol) {
                continuation->run(llvm::createStringError("there is no symbol " + *name));
                return;
            }
            found[name] = {llvm::orc::ExecutorAddr::fromPtr(address),
                           llvm::JITSymbolFlags::Exported};
        }
        continuation->run(std::move(found));
    }

    Error notifyResolved(LinkGraph &graph) override {
        for (Symbol *symbol : graph.defined_symbols()) {
            if (is_entry(*symbol)) {
                entry = symbol->getAddress().toPtr<void *>();
                entry_size = symbol->getSize();
            }
            if (symbol->hasName() && symbol->isCallable())
                functions.push_back({(*symbol->getName()).str(),
                                     symbol->getAddress().toPtr<const char *>(),
                                     static_cast<size_t>(symbol->getSize())});
        }
        return entry ? Error::success()
                     : llvm::createStringError("an object without %s", ENTRY_SYMBOL);
    }

    void notifyFinalized(JITLinkMemoryManager::FinalizedAlloc allocation) override {
        auto *pages = allocation.getAddress().toPtr<MemoryManager::Pages *>();
        result = LinkedCode{entry,       entry_size,           pages->begin,
                            pages->size, std::move(functions), std::move(allocation)};
    }

    /* What the entry does not need is not linked. Functions in the entry's own block are needed
     * without anything that refers to them: the assembler has resolved their calls. */
    LinkGraphPassFunction getMarkLivePass(const llvm::Triple &) const override {
        return [](LinkGraph &graph) {
            const Block *block = nullptr;
            for (Symbol *symbol : graph.defined_symbols())
                if (is_entry(*symbol))
                    block = &symbol->getBlock();
            for (Symbol *symbol : graph.defined_symbols())
                symbol->setLive(symbol->isCallable() && &symbol->getBlock() == block);
            return Error::success();
        };
    }

  private:
    static bool is_entry(const Symbol &symbol) {
        return symbol.hasName() && *symbol.getName() == ENTRY_SYMBOL;
    }

    MemoryManager &memory;
    Linker::Resolve resolve;
    llvm::Expected<LinkedCode> &result;
    void *entry = nullptr;
    size_t entry_size = 0;
    llvm::SmallVector<CodeSymbol, 0> functions;
};

} // namespace

Linker::Linker() : names(std::make_shared<llvm::orc::SymbolStringPool>()) {}

llvm::Expected<LinkedCode> Linker::link(llvm::MemoryBufferRef object, Resolve resolve) {
    auto graph = createLinkGraphFromObject(object, names);
    if (!graph)
        return graph.takeError();
    llvm::Expected<LinkedCode> result = llvm::createStringError("nothing was linked");
    /* An Expected must be looked at before it may be replaced. */
    llvm::consumeError(result.takeError());
    llvm::jitlink::link(std::move(*graph), std::make_unique<Context>(memory, resolve, result));
    names->clearDeadEntries();
    return result;
}

void Linker::abandon() {
    new std::shared_ptr(std::move(names)); /* lost: half of a change may have been made */
    names = std::make_shared<llvm::orc::SymbolStringPool>();
}

Error Linker::unlink(LinkedCode code) {
    std::vector<JITLinkMemoryManager::FinalizedAlloc> allocations;
    allocations.push_back(std::move(code.memory));
    Error result = Error::success();
    llvm::ErrorAsOutParameter returned(result);
    memory.deallocate(std::move(allocations), [&](Error error) { result = std::move(error); });
    return result;
}

} // namespace jit
