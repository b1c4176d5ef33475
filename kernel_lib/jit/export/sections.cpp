#include "kernel_lib/jit/export/sections.h"

using namespace llvm;
using jitlink::Section;
using orc::MemProt;

/* Whether the name is `of`, or begins with it and a dot, as with -ffunction-sections. */
static bool is(StringRef name, StringRef of) {
    return name.consume_front(of) && (name.empty() || name.front() == '.');
}

static bool has(MemProt rights, MemProt right) {
    return (rights & right) != MemProt::None;
}

static bool is_left_out(const Section &section) {
    StringRef name = section.getName();
    return section.getMemLifetime() == orc::MemLifetime::NoAlloc || is(name, ".eh_frame") ||
           is(name, ".gcc_except_table") || is(name, ".note") || is(name, ".comment");
}

jit::SectionKind jit::kind_of(const Section &section) {
    StringRef name = section.getName();
    if (is_left_out(section))
        return SectionKind::left_out;
    if (name == ".header")
        return SectionKind::header;
    if (name == ".text.entry")
        return SectionKind::entry;
    if (is(name, ".init_array"))
        return SectionKind::init_array;
    if (is(name, ".fini_array"))
        return SectionKind::fini_array;
    if (is(name, ".symbols"))
        return SectionKind::symbols;
    if (is(name, ".thread"))
        return SectionKind::thread;
    if (has(section.getMemProt(), MemProt::Exec))
        return SectionKind::text;
    if (is(name, ".data.rel.ro") || !has(section.getMemProt(), MemProt::Write))
        return SectionKind::read_only;
    return is(name, ".bss") ? SectionKind::bss : SectionKind::data;
}

unsigned jit::priority_of(const Section &section) {
    unsigned priority;
    StringRef suffix = section.getName().rsplit('.').second;
    return suffix.getAsInteger(10, priority) ? UINT_MAX : priority;
}
