/* Strings with memory of their own, which LLVM-libc has for a program with streams. */
#include "kernel_lib/runtime.h"

char *strdup(const char *string);
char *strerror(int number);

char *strdup(const char *string) {
    size_t size = strlen(string) + 1;
    char *copy = malloc(size);
    return copy ? memcpy(copy, string, size) : NULL;
}

char *strerror(int number) {
    static char text[32];
    snprintf(text, sizeof text, "error %d", number);
    return text;
}
