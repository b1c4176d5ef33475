/*
 * The names that backtraces have for what the engine makes.
 */
#pragma once
#include "kernel_lib/debug/code_ranges.h"
#include "kernel_lib/jit/code.h"
#include "kernel_lib/jit/engine/linker.h"

namespace jit {

/* Names a version's code for as long as it lives. */
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
};

/* Names the program's stubs and thunks, which lie there, and calls that are interpreted. Once. */
void name_stubs(const void *begin, const void *end);

} // namespace jit
