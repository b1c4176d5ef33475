/* String functions beyond LLVM-libc's: with a check (_FORTIFY_SOURCE), or with memory. */
#include "kernel_lib/runtime.h"

void *__memcpy_chk(void *to, const void *from, size_t size, size_t room);
char *strdup(const char *string);
char *strerror(int number);
int strerror_r(int number, char *text, size_t room);

void *__memcpy_chk(void *to, const void *from, size_t size, size_t room) {
    if (size > room)
        panic("memcpy of %zu bytes to an object of %zu", size, room);
    return memcpy(to, from, size);
}

char *strdup(const char *string) {
    size_t size = strlen(string) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, string, size) : NULL;
}

/* POSIX's, not GNU's: LLVM asks for __xpg_strerror_r under this name when it finds no other. */
int strerror_r(int number, char *text, size_t room) {
    snprintf(text, room, "error %d", number);
    return 0;
}

char *strerror(int number) {
    static char text[32];
    strerror_r(number, text, sizeof text);
    return text;
}
