#include "kernel_lib/jit/export/symbol_table.h"
#include "kernel_lib/jit/engine/kernel.h"
#include "kernel_lib/jit/export/sections.h"
#include "llvm/ExecutionEngine/JITLink/x86_64.h"
#include <map>
extern "C" {
#include "kernel_lib/debug/symbols.h"
}

using namespace llvm;
using namespace llvm::jitlink;
using orc::MemProt;

static size_t bits(size_t count) {
    return (count + 7) / 8;
}

static StringRef name_of(const Symbol *symbol) {
    return *symbol->getName();
}

void jit::SymbolTable::collect(LinkGraph &graph, function_ref<bool(Block *)> is_live) {
    /* Of several names of one place, the first of the alphabet. */
    std::map<std::pair<unsigned, uint64_t>, Symbol *> found;
    for (Symbol *symbol : graph.defined_symbols()) {
        Section &section = symbol->getSection();
        jit::SectionKind kind = jit::kind_of(section);
        bool is_code = kind == SectionKind::entry || kind == SectionKind::text;
        bool is_function = symbol->isCallable() || symbol->getScope() != Scope::Local;
        if (!symbol->hasName() || !is_code || !is_function || !is_live(&symbol->getBlock()))
            continue;
        Symbol *&known = found[{section.getOrdinal(), symbol->getOffset()}];
        if (!known || name_of(symbol) < name_of(known))
            known = symbol;
    }
    for (auto &[place, symbol] : found)
        functions.push_back(symbol);
}

std::unique_ptr<LinkGraph>
jit::SymbolTable::make_graph(ArrayRef<std::unique_ptr<LinkGraph>> graphs,
                             function_ref<bool(Block *)> is_live,
                             std::shared_ptr<orc::SymbolStringPool> names) {
    for (auto &graph : graphs)
        collect(*graph, is_live);
    size_t count = functions.size();
    size_t size = sizeof(struct kernel_symbols) + count * sizeof(uint32_t);
    for (Symbol *function : functions)
        size += name_of(function).size() + 1;

    auto graph =
        std::make_unique<LinkGraph>("symbols", std::move(names), graphs[0]->getTargetTriple(),
                                    SubtargetFeatures(), x86_64::getEdgeKindName);
    Section &read_only = graph->createSection(".symbols", MemProt::Read);
    Section &bss = graph->createSection(".bss", MemProt::Read | MemProt::Write);
    auto define = [&](StringRef name, Block &block, size_t offset) {
        graph->addDefinedSymbol(block, offset, name, 0, Linkage::Strong, Scope::Default, false,
                                true);
    };
    MutableArrayRef<char> content = graph->allocateBuffer(size + bits(count) + 1);
    table = &graph->createMutableContentBlock(read_only, content, orc::ExecutorAddr(),
                                              alignof(uint32_t), 0);
    define("kernel_symbols", *table, 0);
    define("kernel_unsized_symbols", *table, size);
    define("coverage_by_default", *table, size + bits(count));
    size_t order = count * sizeof(uint32_t);
    Block &room = graph->createZeroFillBlock(bss, order + count + bits(count), orc::ExecutorAddr(),
                                             alignof(uint32_t), 0);
    define("kernel_symbol_order", room, 0);
    define("kernel_symbol_bytes", room, order);
    define("kernel_symbol_bits", room, order + count);
    return graph;
}

void jit::SymbolTable::fill(uint64_t start) {
    sort(functions, [](Symbol *a, Symbol *b) { return a->getAddress() < b->getAddress(); });
    MutableArrayRef<char> content = table->getAlreadyMutableContent();
    std::fill(content.begin(), content.end(), 0);
    char *at = content.data();
    auto put = [&](uint64_t value) {
        auto number = static_cast<uint32_t>(value);
        memcpy(at, &number, sizeof number);
        at += sizeof number;
    };
    put(functions.size());
    put(0); /* names in a block: they are not packed */
    for (Symbol *function : functions)
        put(function->getAddress().getValue() - start);
    for (Symbol *function : functions)
        at = copy(name_of(function), at) + 1;
    for (size_t i = 0; i < functions.size(); i++)
        if (functions[i]->getSize() == 0)
            at[i / 8] = static_cast<char>(at[i / 8] | 1 << i % 8);
}
