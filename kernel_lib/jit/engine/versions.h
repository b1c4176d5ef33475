/*
 * Versions of functions' code, from when they are linked until their memory is free again.
 */
#pragma once
#include "kernel_lib/jit/code.h"
#include "kernel_lib/jit/engine/linker.h"
#include "kernel_lib/jit/engine/named_code.h"
#include "kernel_lib/jit/engine/program.h"
#include <vector>

struct jit_version {
    jit_version(jit::Entry &of, const jit_code &made_of, jit::LinkedCode memory,
                llvm::SmallVector<char, 0> bytes)
        : entry(&of), code(made_of), linked(std::move(memory)), object(std::move(bytes)),
          name(of.name, code, linked) {}

    jit::Entry *entry;
    jit_code code;
    jit::LinkedCode linked;
    llvm::SmallVector<char, 0> object; /* for the object cache, while it is held */
    bool held = true, installed = false;
    jit::NamedCode name; /* in backtraces */
};

namespace jit {

class Versions {
  public:
    /* The stack grows down from stack_base; all calls of compiled code are below. */
    Versions(Program &program, const void *stack_base) : program(program), stack_base(stack_base) {}

    /* Links an object of the entry's function and holds the version. */
    llvm::Expected<jit_version *> add(Entry &entry, const jit_code &code,
                                      llvm::SmallVector<char, 0> object);
    /* New calls of its function run it. */
    void install(jit_version &version);
    void release(jit_version &version);
    /* Frees the versions that are neither installed nor held and into which no word on the stack
     * points: a running call has its return address there. */
    void collect();

    size_t bytes() const { return linker.used(); }
    size_t retired() const;

  private:
    void mark_running();

    Program &program;
    const void *stack_base;
    Linker linker;
    std::vector<std::unique_ptr<jit_version>> versions;
    llvm::SmallVector<bool, 0> running; /* beside versions, while collecting */
};

} // namespace jit
