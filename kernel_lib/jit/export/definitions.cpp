#include "kernel_lib/jit/export/definitions.h"

using namespace llvm;
using namespace llvm::jitlink;

Error jit::Definitions::add(LinkGraph &graph, Scope scope) {
    for (Symbol *symbol : graph.defined_symbols()) {
        if (!symbol->hasName() || symbol->getScope() > scope)
            continue;
        auto [known, is_new] = global.try_emplace(*symbol->getName(), symbol);
        if (is_new || symbol->getLinkage() == Linkage::Weak)
            continue;
        if (known->second->getLinkage() == Linkage::Strong)
            return createStringError("two definitions of " + *symbol->getName());
        known->second = symbol;
    }
    return Error::success();
}

Symbol *jit::Definitions::of(Symbol &symbol) const {
    if (symbol.isDefined() && (!symbol.hasName() || symbol.getScope() == Scope::Local))
        return &symbol;
    return symbol.hasName() ? global.lookup(*symbol.getName()) : nullptr;
}
