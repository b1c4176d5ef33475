/*
 * Links relocatable objects to a kernel file. LLVM's JITLink reads the objects and applies their
 * relocations; what it lacks of a linker is here: fixed addresses for several objects together,
 * dead code left out, the symbols of kernel_lib/cpu/linker.ld.
 */
#pragma once
#include "kernel_lib/jit/export/definitions.h"
#include "kernel_lib/jit/export/layout.h"
#include "kernel_lib/jit/export/symbol_table.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/Support/MemoryBuffer.h"
#include <vector>

namespace jit {

class KernelLinker {
  public:
    /* Add an ELF object of code that is not position-independent: of the kernel, or of the
     * application, whose hidden symbols only the application knows and takes before the kernel's.
     * Its bytes must stay until link() has returned. */
    llvm::Error add_kernel(llvm::MemoryBufferRef object);
    llvm::Error add_application(llvm::MemoryBufferRef object);

    /* Links the objects, with a stack of so many bytes. What neither the kernel's header nor a
     * constructor or destructor leads to is left out. The result is a kernel's image
     * (boot/kernel_header.h), of which kernel_pack() makes a kernel file. The same objects give the
     * same image. Once. */
    llvm::Expected<std::vector<char>> link(uint64_t stack_size);

  private:
    bool is_live(llvm::jitlink::Block *block) const { return live.contains(block); }
    llvm::Expected<llvm::jitlink::LinkGraph *> read(llvm::MemoryBufferRef object);
    void bind(llvm::jitlink::LinkGraph &graph);
    void mark();
    void mark(llvm::jitlink::Block &block);
    llvm::Error add_symbol_table();
    llvm::Error add_thread_block();
    void resolve(llvm::jitlink::LinkGraph &graph, const Layout &layout);
    llvm::Error relocate(llvm::jitlink::LinkGraph &graph, llvm::jitlink::Block &block);
    llvm::Expected<std::vector<char>> image(const Layout &layout);

    std::shared_ptr<llvm::orc::SymbolStringPool> names =
        std::make_shared<llvm::orc::SymbolStringPool>();
    std::vector<std::unique_ptr<llvm::jitlink::LinkGraph>> graphs;
    llvm::DenseSet<llvm::jitlink::LinkGraph *> of_application;
    Definitions kernel, application;
    SymbolTable table;
    llvm::jitlink::Block *thread_block = nullptr;
    llvm::DenseSet<llvm::jitlink::Block *> live;
    std::vector<llvm::jitlink::Block *> to_mark;
    llvm::DenseSet<llvm::jitlink::Symbol *> undefined;
};

} // namespace jit
