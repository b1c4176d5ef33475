/* Memory by pages, out of the heap (mmap(2), as glibc declares it). */
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/runtime.h"
#include "llvm-libc/glibc_abi/errno_numbers.h"
#include <errno.h>

#define READ 1
#define WRITE 2
#define EXECUTE 4
#define ANONYMOUS 0x20
#define FAILED ((void *)-1)

int posix_memalign(void **memory, size_t alignment, size_t size);
void *mmap(void *address, size_t size, int protection, int flags, int file, long offset);
int munmap(void *address, size_t size);
int mprotect(void *address, size_t size, int protection);

static size_t whole_pages(size_t size) {
    return (size + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
}

int posix_memalign(void **memory, size_t alignment, size_t size) {
    *memory = aligned_alloc(alignment, size);
    return *memory ? 0 : ENOMEM;
}

/* Never writable and executable at once. */
int mprotect(void *address, size_t size, int protection) {
    struct error error;
    enum memory_access access = protection & EXECUTE ? MEMORY_READ_EXECUTE
                                : protection & WRITE ? MEMORY_READ_WRITE
                                : protection & READ  ? MEMORY_READ
                                                     : MEMORY_NONE;
    if ((protection & WRITE && protection & EXECUTE) ||
        !memory_protect((uintptr_t)address, whole_pages(size), access, &error)) {
        errno = EACCES;
        return -1;
    }
    return 0;
}

void *mmap(void *address, size_t size, int protection, int flags, int file, long offset) {
    (void)address, (void)file, (void)offset;
    void *memory = flags & ANONYMOUS ? aligned_alloc(PAGE_SIZE, whole_pages(size)) : NULL;
    if (!memory) {
        errno = ENOMEM;
        return FAILED;
    }
    memset(memory, 0, whole_pages(size));
    if (mprotect(memory, size, protection) < 0) {
        free(memory);
        return FAILED;
    }
    return memory;
}

int munmap(void *address, size_t size) {
    if (mprotect(address, size, READ | WRITE) < 0)
        return -1;
    free(address);
    return 0;
}
