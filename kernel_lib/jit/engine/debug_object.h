/*
 * Compiled code for debuggers: GDB's JIT interface (GDB manual, "JIT Compilation Interface"), which
 * LLDB knows, too.
 *
 * A debugger that is attached has a breakpoint in __jit_debug_register_code. Whenever that is
 * called, it reads the list at __jit_debug_descriptor: ELF files in memory, each with the symbols
 * of some code. Without a debugger this costs the memory of these files, about 24 bytes and the
 * name for each function.
 */
#pragma once
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <string>

/* ---- The interface, whose names and layouts debuggers know ---- */

/* An entry of the list. */
struct jit_code_entry {
    jit_code_entry *next, *previous;
    const char *file;
    uint64_t file_size;
};

struct jit_descriptor {
    uint32_t version;
    uint32_t action; /* 1: relevant has become an entry, 2: it is one no longer */
    jit_code_entry *relevant, *first;
};

extern "C" jit_descriptor __jit_debug_descriptor;

namespace jit {

/* A function of compiled code. */
struct CodeSymbol {
    std::string name;
    const char *address;
    size_t size;
};

/* Names code for debuggers for as long as it lives. */
class DebugObject {
  public:
    /* The code from begin on, with the symbols in it, whose names are copied. */
    DebugObject(const char *begin, size_t size, llvm::ArrayRef<CodeSymbol> symbols);
    ~DebugObject();
    DebugObject(const DebugObject &) = delete;
    DebugObject &operator=(const DebugObject &) = delete;

  private:
    llvm::SmallVector<char, 0> file;
    jit_code_entry entry = {};
};

} // namespace jit
