/* C++'s operators new and delete over malloc. There are no exceptions: no memory is a panic. */
extern "C" {
#include "kernel_lib/runtime.h"
}

namespace std {
enum class align_val_t : size_t {};
struct nothrow_t {};
extern const nothrow_t nothrow;
const nothrow_t nothrow{};
} // namespace std

static void *checked(void *memory, size_t size) {
    if (!memory)
        panic("new: no memory for %zu bytes", size);
    return memory;
}

static void *aligned(size_t size, std::align_val_t alignment) {
    auto align = static_cast<size_t>(alignment);
    return aligned_alloc(align, (size + align - 1) & ~(align - 1));
}

void *operator new(size_t size) {
    return checked(malloc(size), size);
}
void *operator new[](size_t size) {
    return checked(malloc(size), size);
}
void *operator new(size_t size, const std::nothrow_t &) noexcept {
    return malloc(size);
}
void *operator new[](size_t size, const std::nothrow_t &) noexcept {
    return malloc(size);
}
void *operator new(size_t size, std::align_val_t alignment) {
    return checked(aligned(size, alignment), size);
}
void *operator new[](size_t size, std::align_val_t alignment) {
    return checked(aligned(size, alignment), size);
}

void operator delete(void *memory) noexcept {
    free(memory);
}
void operator delete[](void *memory) noexcept {
    free(memory);
}
void operator delete(void *memory, size_t) noexcept {
    free(memory);
}
void operator delete[](void *memory, size_t) noexcept {
    free(memory);
}
void operator delete(void *memory, std::align_val_t) noexcept {
    free(memory);
}
void operator delete[](void *memory, std::align_val_t) noexcept {
    free(memory);
}
void operator delete(void *memory, size_t, std::align_val_t) noexcept {
    free(memory);
}
void operator delete[](void *memory, size_t, std::align_val_t) noexcept {
    free(memory);
}
