/*
 * The names that backtraces and debuggers have for what the engine makes.
 */
#pragma once
#include "kernel_lib/debug/code_ranges.h"
#include "kernel_lib/jit/code.h"
#include "kernel_lib/jit/engine/debug_object.h"
#include "kernel_lib/jit/engine/linker.h"
#include "kernel_lib/jit/engine/program.h"

namespace jit {

/* Names a version's code for as long as it lives. In debuggers a function of the object is, for
 * example, `matmul.O2.entry` for jit_entry, `matmul.O2.general` for jit_general. With another
 * function's code it is `matmul.O2.matmul_avx2.general`. */
class NamedCode {
  public:
    NamedCode(const char *function, const jit_code &code, const LinkedCode &linked);
    ~NamedCode();
    NamedCode(const NamedCode &) = delete;
    NamedCode &operator=(const NamedCode &) = delete;

  private:
    static void print(const code_range *range, uintptr_t address, uintptr_t frame_pointer);

    code_range range = {}; /* first, as print() relies on */
    const char *function, *body;
    jit_level level;
    bool specialised;
    DebugObject debug_object;
};

/* Names the program's stubs and trampolines, and calls that are interpreted. Call it once. For
 * debuggers a stub has the name of its function: a breakpoint there stops every call. */
void name_stubs(const Slots &slots, llvm::ArrayRef<Entry> entries);

} // namespace jit
