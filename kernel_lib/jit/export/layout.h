/*
 * The addresses of a kernel's parts: a flat image from 1 MiB on, every kind of memory on pages of
 * its own, as kernel_lib/cpu/linker.ld describes it.
 */
#pragma once
#include "kernel_lib/jit/export/sections.h"
#include "llvm/ADT/StringMap.h"
#include <vector>

namespace jit {

struct Layout {
    std::vector<llvm::jitlink::Block *> blocks; /* in ascending order of their addresses */
    llvm::StringMap<uint64_t> symbols;          /* those that the linker script defines */
    uint64_t start, file_end;                   /* of the part that is in the file */
};

/* Gives each block of the graphs for which is_live returns true its address. The order depends on
 * the graphs and the numbers of their sections alone: the same objects give the same kernel. */
Layout lay_out(llvm::ArrayRef<std::unique_ptr<llvm::jitlink::LinkGraph>> graphs,
               llvm::function_ref<bool(llvm::jitlink::Block *)> is_live, uint64_t stack_size);

} // namespace jit
