/* Stubs, slots and reentry trampolines. */
#include "kernel_lib/jit/engine/slots.h"
#include "kernel_lib/jit/engine/enter.h"
#include "kernel_lib/jit/engine/pages.h"

using namespace jit;

namespace {

constexpr size_t TRAMPOLINE_SIZE = 16;
constexpr unsigned char INT3 = 0xCC; /* fills the space between them */

/* Writes `jmp *cell(%rip)` (Intel SDM vol. 2, JMP: FF /4). */
void write_jump(char *at, const void *cell) {
    int32_t distance = static_cast<int32_t>(reinterpret_cast<const char *>(cell) - (at + 6));
    at[0] = '\xFF';
    at[1] = '\x25';
    memcpy(at + 2, &distance, sizeof distance);
}

/* Writes `mov $index, %r11d` (41 B8+3 imm32), then the jump. */
void write_trampoline(char *at, uint32_t index, const void *cell) {
    at[0] = '\x41';
    at[1] = '\xBB';
    memcpy(at + 2, &index, sizeof index);
    write_jump(at + 6, cell);
}

} // namespace

Slots::Slots(size_t count) : count_(count) {
    /* One block, so that the distances fit into 32 bits. */
    size_t code_size = whole_pages(count * (STUB_SIZE + TRAMPOLINE_SIZE));
    size_t slots_size = (count + 1) * sizeof(void *);
    code_ = allocate_pages(code_size + slots_size);
    slots_ = reinterpret_cast<void **>(code_ + code_size);
    slots_[count] = reinterpret_cast<void *>(jit_enter);
    memset(code_, INT3, code_size);
    for (size_t i = 0; i < count; i++) {
        slots_[i] = trampoline(i);
        write_jump(static_cast<char *>(stub(i)), &slots_[i]);
        write_trampoline(static_cast<char *>(trampoline(i)), static_cast<uint32_t>(i),
                         &slots_[count]);
    }
    if (code_size)
        protect_pages(code_, code_size, MEMORY_READ_EXECUTE);
    protect_pages(slots_, slots_size, MEMORY_READ);
}

void *Slots::stub(size_t index) const {
    return code_ + index * STUB_SIZE;
}

void *const *Slots::slot(size_t index) const {
    return &slots_[index];
}

void *Slots::trampoline(size_t index) const {
    return code_ + count_ * STUB_SIZE + index * TRAMPOLINE_SIZE;
}

bool Slots::find(const void *address, size_t &index) const {
    uintptr_t offset = reinterpret_cast<uintptr_t>(address) - reinterpret_cast<uintptr_t>(code_);
    index = offset / STUB_SIZE;
    return index < count_ && offset % STUB_SIZE == 0;
}

const char *Slots::end() const {
    return code_ + count_ * (STUB_SIZE + TRAMPOLINE_SIZE);
}

size_t Slots::index_at(uintptr_t address, size_t &offset) const {
    offset = address - reinterpret_cast<uintptr_t>(code_);
    size_t size = STUB_SIZE;
    if (offset >= count_ * STUB_SIZE) {
        offset -= count_ * STUB_SIZE;
        size = TRAMPOLINE_SIZE;
    }
    size_t index = offset / size;
    offset %= size;
    return index;
}

void Slots::redirect(void *const *slot, void *target) {
    size_t size = (count_ + 1) * sizeof(void *);
    protect_pages(slots_, size, MEMORY_READ_WRITE);
    __atomic_store_n(const_cast<void **>(slot), target, __ATOMIC_RELEASE);
    protect_pages(slots_, size, MEMORY_READ);
}
