/* What LLVM-libc's own test framework needs besides the C library. */
#include "src/__support/CPP/string_view.h"
#include <stdio.h>
#include <stdlib.h>

namespace LIBC_NAMESPACE_DECL {

void write_to_stderr(cpp::string_view text) {
    fwrite(text.data(), 1, text.size(), stdout);
}

} // namespace LIBC_NAMESPACE_DECL

extern "C" {
void *__dso_handle;

int __cxa_atexit(void (*)(void *), void *, void *) {
    return 0; /* nothing is done after the tests */
}

void __cxa_pure_virtual() {
    abort();
}
}

void operator delete(void *memory) noexcept {
    free(memory);
}

void operator delete(void *memory, size_t) noexcept {
    free(memory);
}
