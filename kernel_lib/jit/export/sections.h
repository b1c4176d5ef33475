/*
 * What a section of a relocatable object becomes in a kernel: the places are those that
 * kernel_lib/cpu/linker.ld gives the same sections.
 */
#pragma once
#include "llvm/ExecutionEngine/JITLink/JITLink.h"

namespace jit {

/* In the order of their addresses. */
enum class SectionKind {
    header,
    entry,
    text,
    read_only,
    init_array,
    fini_array,
    symbols,
    thread,
    data,
    bss,
    left_out, /* debug information, unwinding tables, comments */
};
constexpr size_t SECTION_KINDS = static_cast<size_t>(SectionKind::left_out);

/* The kind of a section, by its name and its rights. */
SectionKind kind_of(const llvm::jitlink::Section &section);

/* Constructors and destructors run in ascending order of this number (ELF: .init_array.N). */
unsigned priority_of(const llvm::jitlink::Section &section);

} // namespace jit
