/* What LLVM's archives call of output, besides C's streams. */
#include "kernel_lib/runtime.h"
#include "llvm-libc/glibc_abi/errno_numbers.h"
#include <errno.h>
#include <stdarg.h>

#define STANDARD_ERROR 2

long write(int descriptor, const void *bytes, size_t size);
int __snprintf_chk(char *text, size_t room, int flag, size_t object, const char *format, ...)
    __attribute__((format(printf, 5, 6)));

long write(int descriptor, const void *bytes, size_t size) {
    if (descriptor < 1 || descriptor > STANDARD_ERROR) {
        errno = EBADF;
        return -1;
    }
    console_write(bytes, size);
    return (long)size;
}

int __snprintf_chk(char *text, size_t room, int flag, size_t object, const char *format, ...) {
    (void)flag;
    if (room > object)
        panic("snprintf of %zu bytes to an object of %zu", room, object);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, room, format, arguments);
    va_end(arguments);
    return length;
}
