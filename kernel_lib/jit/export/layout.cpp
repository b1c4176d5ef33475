#include "kernel_lib/jit/export/layout.h"
#include "kernel_lib/jit/engine/kernel.h"

using namespace llvm;
using namespace llvm::jitlink;
using namespace jit;

namespace {

constexpr uint64_t START = 1 << 20;

using Blocks = std::vector<Block *>;

/* A graph keeps its sections in a hash table, whose order differs from run to run. */
std::vector<Section *> in_order(LinkGraph &graph) {
    std::vector<Section *> sections;
    for (Section &section : graph.sections())
        sections.push_back(&section);
    sort(sections, [](Section *a, Section *b) { return a->getOrdinal() < b->getOrdinal(); });
    return sections;
}

bool by_alignment(const Block *a, const Block *b) {
    return a->getAlignment() > b->getAlignment();
}

/* Hot code first, so that it lies together; what is hardly ever called last. */
int heat_order(const Block *block) {
    StringRef name = block->getSection().getName();
    return name.starts_with(".text.hot.") ? 0 : name.starts_with(".text.unlikely.") ? 2 : 1;
}

bool by_heat(const Block *a, const Block *b) {
    return heat_order(a) < heat_order(b);
}

bool by_priority(const Block *a, const Block *b) {
    return priority_of(a->getSection()) < priority_of(b->getSection());
}

class Addresses {
  public:
    explicit Addresses(Layout &layout) : layout(layout), next(layout.start) {}

    /* Places the blocks here; those with large alignments first, so that little is lost. */
    void place(Blocks &blocks) {
        stable_sort(blocks, by_alignment);
        place_in_order(blocks);
    }

    void place_code(Blocks &blocks) {
        stable_sort(blocks, by_alignment);
        stable_sort(blocks, by_heat);
        place_in_order(blocks);
    }

    void place_in_order(Blocks &blocks) {
        for (Block *block : blocks) {
            next = alignTo(next, block->getAlignment(), block->getAlignmentOffset());
            block->setAddress(orc::ExecutorAddr(next));
            next += block->getSize();
            layout.blocks.push_back(block);
        }
    }

    uint64_t name(StringRef symbol) { return layout.symbols[symbol] = next; }
    void skip(uint64_t size) { next += size; }
    void align(uint64_t to) { next = alignTo(next, to); }

  private:
    Layout &layout;
    uint64_t next;
};

} // namespace

Layout jit::lay_out(ArrayRef<std::unique_ptr<LinkGraph>> graphs,
                    function_ref<bool(Block *)> is_live, uint64_t stack_size) {
    Blocks of_kind[SECTION_KINDS];
    for (auto &graph : graphs)
        for (Section *section : in_order(*graph))
            for (Block *block : section->blocks()) /* one, in the graph of an ELF object */
                if (is_live(block))
                    of_kind[static_cast<size_t>(kind_of(*section))].push_back(block);
    auto blocks = [&](SectionKind kind) -> Blocks & { return of_kind[static_cast<size_t>(kind)]; };
    for (SectionKind kind : {SectionKind::init_array, SectionKind::fini_array})
        stable_sort(blocks(kind), by_priority);

    Layout layout = {{}, {}, START, 0};
    Addresses at(layout);
    at.name("__kernel_start");
    at.name("__text_start");
    at.place_in_order(blocks(SectionKind::header));
    at.place_in_order(blocks(SectionKind::entry));
    at.place_code(blocks(SectionKind::text));
    at.align(PAGE_SIZE);
    at.name("__text_end");
    at.name("__rodata_start");
    at.place(blocks(SectionKind::read_only));
    at.align(sizeof(void *));
    at.name("__init_array_start");
    at.place_in_order(blocks(SectionKind::init_array));
    at.name("__init_array_end");
    at.name("__fini_array_start");
    at.place_in_order(blocks(SectionKind::fini_array));
    at.name("__fini_array_end");
    at.place(blocks(SectionKind::symbols));
    at.align(PAGE_SIZE);
    at.name("__rodata_end");
    at.name("__data_start");
    at.place(blocks(SectionKind::thread));
    at.place(blocks(SectionKind::data));
    at.align(sizeof(uint64_t));
    at.name("__data_end");
    layout.file_end = at.name("__bss_start");
    at.place(blocks(SectionKind::bss));
    at.align(PAGE_SIZE);
    at.name("__bss_end");
    at.name("__stack_guard");
    at.skip(PAGE_SIZE);
    at.name("__stack_bottom");
    at.skip(stack_size);
    at.name("__stack_top");
    uint64_t end = at.name("__kernel_end");
    layout.symbols["__kernel_file_size"] = layout.file_end - layout.start;
    layout.symbols["__kernel_memory_size"] = end - layout.start;
    return layout;
}
