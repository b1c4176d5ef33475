/* malloc and its kin (C17, 7.22.3) on the heap. */
#include "kernel_lib/memory/heap.h"
#include <stdlib.h>
#include <string.h>

void *malloc(size_t size) {
    return heap_allocate(HEAP_ALIGNMENT, size);
}

/* Does not go through malloc, or the compiler would make a call to calloc of it. */
void *calloc(size_t count, size_t size) {
    size_t bytes;
    if (__builtin_mul_overflow(count, size, &bytes))
        return NULL;
    void *memory = heap_allocate(HEAP_ALIGNMENT, bytes);
    return memory ? memset(memory, 0, bytes) : NULL;
}

void *realloc(void *memory, size_t size) {
    return heap_reallocate(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
    return heap_allocate(alignment, size);
}

void free(void *memory) {
    heap_free(memory);
}
