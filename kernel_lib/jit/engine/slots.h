/*
 * How calls of the application's functions find the code to run.
 *
 * For each function there is a stub, `jmp *slot(%rip)`, whose address is the function's address for
 * the whole program, function pointers included; a slot with the address of the code; and a thunk,
 * which tells jit_enter (enter.asm) the function's index: the slot's first content.
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
    void *thunk(size_t index) const;
    /* The function whose stub this is; false when it is none's. */
    bool find(const void *address, size_t &index) const;
    /* Where stubs and thunks lie, and the index of one that holds an address in there. */
    const char *begin() const { return code_; }
    const char *end() const;
    size_t index_at(uintptr_t address, size_t &offset) const;
    /* New calls go to target: one atomic store, and the slots are writable only meanwhile. */
    void redirect(void *const *slot, void *target);

  private:
    size_t count_;
    char *code_;   /* stubs, then thunks; read and execute */
    void **slots_; /* and behind them jit_enter's address; read only */
};

} // namespace jit
