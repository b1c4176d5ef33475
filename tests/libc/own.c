/* What LLVM-libc asks for, and memory with a fence behind it. */
#include "own.h"
#include <sys/mman.h>

#define BLOCK_SIZE ((size_t)1 << 16)
#define PAGE_SIZE ((size_t)4096)

int own_errno;
int *own___llvm_libc_errno(void);

int *own___llvm_libc_errno(void) {
    return &own_errno;
}

void *fenced(int number, size_t size) {
    static char *blocks[4];
    if (!blocks[number]) {
        blocks[number] = mmap(NULL, BLOCK_SIZE + PAGE_SIZE, PROT_READ | PROT_WRITE,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (blocks[number] == MAP_FAILED ||
            mprotect(blocks[number] + BLOCK_SIZE, PAGE_SIZE, PROT_NONE) != 0)
            DIFFER("no memory");
    }
    return blocks[number] + BLOCK_SIZE - size;
}
