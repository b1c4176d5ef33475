/*
 * Memory in whole pages, for what must not be writable, or must be executable.
 */
#pragma once
#include "kernel_lib/jit/engine/kernel.h"

namespace jit {

/* size rounded up to whole pages. */
inline size_t whole_pages(size_t size) {
    return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

/* Zeroed pages for size bytes (at least one), readable and writable, which begin at a multiple of
 * alignment. Panics when there is no memory: used only while the program starts. */
char *allocate_pages(size_t size, size_t alignment = PAGE_SIZE);

/* Changes the access of pages; panics when the platform refuses. */
void protect_pages(void *start, size_t size, enum memory_access access);

} // namespace jit
