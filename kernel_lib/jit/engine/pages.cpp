/* Memory in whole pages. */
#include "kernel_lib/jit/engine/pages.h"

char *jit::allocate_pages(size_t size, size_t alignment) {
    size = (size + alignment - 1) & ~(alignment - 1);
    size = size ? size : alignment;
    void *pages = aligned_alloc(alignment, size);
    if (!pages)
        panic("JIT: no memory for %zu bytes of tables", size);
    return static_cast<char *>(memset(pages, 0, size));
}

void jit::protect_pages(void *start, size_t size, enum memory_access access) {
    struct error error;
    if (!memory_protect(reinterpret_cast<uintptr_t>(start), whole_pages(size), access, &error))
        panic("JIT: %s", error.text);
}
