/* Memory in whole pages. */
#include "kernel_lib/jit/llvm/pages.h"

char *jit::allocate_pages(size_t size) {
    size = whole_pages(size ? size : 1);
    void *pages = aligned_alloc(PAGE_SIZE, size);
    if (!pages)
        panic("JIT: no memory for %zu bytes of tables", size);
    return static_cast<char *>(memset(pages, 0, size));
}

void jit::protect_pages(void *start, size_t size, enum memory_access access) {
    struct error error;
    if (!memory_protect(reinterpret_cast<uintptr_t>(start), whole_pages(size), access, &error))
        panic("JIT: %s", error.text);
}
