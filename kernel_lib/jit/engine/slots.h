/*
 * How calls of the application's functions find the code to run.
 *
 * Each function is a redirectable symbol. Its stub, `jmp *slot(%rip)`, is its address for the whole
 * program, function pointers included. Its slot holds the address of the code that calls reach.
 * First that is the function's reentry trampoline, which calls jit_enter (enter.asm) with its
 * index.
 */
#pragma once
#include <stddef.h>
#include <stdint.h>

namespace jit {

class Slots {
  public:
    static constexpr size_t STUB_SIZE = 8;

    explicit Slots(size_t count);

    void *stub(size_t index) const;
    void *const *slot(size_t index) const;
    void *trampoline(size_t index) const;
    /* The function whose stub this is; false when it is none's. */
    bool find(const void *address, size_t &index) const;
    /* Where stubs and trampolines lie, and the index of one that holds an address in there. */
    const char *begin() const { return code_; }
    const char *end() const;
    size_t index_at(uintptr_t address, size_t &offset) const;
    /* New calls go to target: one atomic store, and the slots are writable only meanwhile. */
    void redirect(void *const *slot, void *target);

  private:
    size_t count_;
    char *code_;   /* stubs, then trampolines; read and execute */
    void **slots_; /* and behind them jit_enter's address; read only */
};

} // namespace jit
