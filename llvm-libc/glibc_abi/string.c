/* String functions beyond LLVM-libc's: with a check (_FORTIFY_SOURCE), or thread-safe. */
#include "kernel_lib/runtime.h"

void *__memcpy_chk(void *to, const void *from, size_t size, size_t room);
int strerror_r(int number, char *text, size_t room);

void *__memcpy_chk(void *to, const void *from, size_t size, size_t room) {
    if (size > room)
        panic("memcpy of %zu bytes to an object of %zu", size, room);
    return memcpy(to, from, size);
}

/* POSIX's, not GNU's: LLVM asks for __xpg_strerror_r under this name when it finds no other. */
int strerror_r(int number, char *text, size_t room) {
    snprintf(text, room, "error %d", number);
    return 0;
}
