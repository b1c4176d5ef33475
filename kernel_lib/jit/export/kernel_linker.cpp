#include "kernel_lib/jit/export/kernel_linker.h"
#include "kernel_lib/jit/engine/kernel.h"
#include "llvm/ExecutionEngine/JITLink/x86_64.h"

using namespace llvm;
using namespace llvm::jitlink;
using namespace jit;
using orc::MemProt;

/* A stack canary is 40 bytes behind the address that FS has (linker.ld, .thread). */
constexpr size_t THREAD_BLOCK_SIZE = sizeof(uint64_t) + 40;
constexpr size_t THREAD_BLOCK_ALIGNMENT = 16;

Expected<LinkGraph *> KernelLinker::read(MemoryBufferRef object) {
    auto graph = createLinkGraphFromObject(object, names);
    if (!graph)
        return graph.takeError();
    graphs.push_back(std::move(*graph));
    return graphs.back().get();
}

Error KernelLinker::add_kernel(MemoryBufferRef object) {
    auto graph = read(object);
    return graph ? kernel.add(**graph, Scope::Hidden) : graph.takeError();
}

Error KernelLinker::add_application(MemoryBufferRef object) {
    auto graph = read(object);
    if (!graph)
        return graph.takeError();
    of_application.insert(*graph);
    if (Error error = application.add(**graph, Scope::Hidden))
        return error;
    return kernel.add(**graph, Scope::Default);
}

/* Lets the graph's references lead to the definitions that were chosen. */
void KernelLinker::bind(LinkGraph &graph) {
    bool in_application = of_application.contains(&graph);
    for (Block *block : graph.blocks())
        for (Edge &edge : block->edges()) {
            Symbol *definition = in_application ? application.of(edge.getTarget()) : nullptr;
            if (!definition)
                definition = kernel.of(edge.getTarget());
            if (definition)
                edge.setTarget(*definition);
        }
}

void KernelLinker::mark(Block &block) {
    if (kind_of(block.getSection()) != SectionKind::left_out && live.insert(&block).second)
        to_mark.push_back(&block);
}

/* Marks as live what the header, constructors and destructors lead to. */
void KernelLinker::mark() {
    for (auto &graph : graphs)
        for (Section &section : graph->sections()) {
            SectionKind kind = kind_of(section);
            if (kind == SectionKind::header || kind == SectionKind::init_array ||
                kind == SectionKind::fini_array)
                for (Block *block : section.blocks())
                    mark(*block);
        }
    while (!to_mark.empty()) {
        Block *block = to_mark.back();
        to_mark.pop_back();
        for (Edge &edge : block->edges())
            if (edge.getTarget().isDefined())
                mark(edge.getTarget().getBlock());
    }
}

/* FS points to its own address (System V ABI for x86-64): link() fills it in. */
Error KernelLinker::add_thread_block() {
    auto graph = std::make_unique<LinkGraph>("thread", names, graphs[0]->getTargetTriple(),
                                             SubtargetFeatures(), x86_64::getEdgeKindName);
    Section &section = graph->createSection(".thread", MemProt::Read | MemProt::Write);
    MutableArrayRef<char> content = graph->allocateBuffer(THREAD_BLOCK_SIZE);
    std::fill(content.begin(), content.end(), 0);
    thread_block = &graph->createMutableContentBlock(section, content, orc::ExecutorAddr(),
                                                     THREAD_BLOCK_ALIGNMENT, 0);
    graph->addDefinedSymbol(*thread_block, 0, "__thread_block", THREAD_BLOCK_SIZE, Linkage::Strong,
                            Scope::Default, false, true);
    graphs.push_back(std::move(graph));
    return kernel.add(*graphs.back(), Scope::Default);
}

Error KernelLinker::add_symbol_table() {
    graphs.push_back(table.make_graph(graphs, [&](Block *block) { return is_live(block); }, names));
    for (Block *block : graphs.back()->blocks())
        live.insert(block);
    return kernel.add(*graphs.back(), Scope::Default);
}

/* Gives the symbols that no object defines their addresses. */
void KernelLinker::resolve(LinkGraph &graph, const Layout &layout) {
    SmallVector<Symbol *> externals(graph.external_symbols());
    for (Symbol *symbol : externals) {
        auto scripted = layout.symbols.find(*symbol->getName());
        if (scripted != layout.symbols.end())
            graph.makeAbsolute(*symbol, orc::ExecutorAddr(scripted->second));
        else if (symbol->isWeaklyReferenced())
            graph.makeAbsolute(*symbol, orc::ExecutorAddr());
        else
            undefined.insert(symbol);
    }
}

Error KernelLinker::relocate(LinkGraph &graph, Block &block) {
    for (Edge &edge : block.edges()) {
        if (!edge.isRelocation())
            continue;
        if (undefined.contains(&edge.getTarget()))
            return createStringError("there is no symbol " + *edge.getTarget().getName());
        if (Error error = x86_64::applyFixup(graph, block, edge, nullptr))
            return error;
    }
    return Error::success();
}

Expected<std::vector<char>> KernelLinker::image(const Layout &layout) {
    std::vector<char> file(layout.file_end - layout.start);
    for (auto &graph : graphs)
        for (Block *block : graph->blocks()) {
            if (!is_live(block) || block->isZeroFill())
                continue;
            MutableArrayRef<char> content = block->getMutableContent(*graph);
            if (Error error = relocate(*graph, *block))
                return std::move(error);
            uint64_t offset = block->getAddress().getValue() - layout.start;
            if (offset + content.size() > file.size())
                return createStringError("contents in .bss: " + block->getSection().getName());
            memcpy(&file[offset], content.data(), content.size());
        }
    return file;
}

Expected<std::vector<char>> KernelLinker::link(uint64_t stack_size) {
    if (Error error = add_thread_block())
        return std::move(error);
    for (auto &graph : graphs)
        bind(*graph);
    mark();
    if (Error error = add_symbol_table())
        return std::move(error);
    bind(*graphs[0]); /* the kernel refers to the table */
    Layout layout = lay_out(graphs, [&](Block *block) { return is_live(block); }, stack_size);
    for (auto &graph : graphs)
        resolve(*graph, layout);
    table.fill(layout.start);
    uint64_t thread = thread_block->getAddress().getValue();
    memcpy(thread_block->getAlreadyMutableContent().data(), &thread, sizeof thread);
    return image(layout);
}
