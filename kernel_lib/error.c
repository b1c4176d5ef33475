/* How a function reports what went wrong. */
#include "kernel_lib/error.h"
#include "kernel_lib/io/format.h"
#include <string.h>

size_t error_format(char *text, size_t size, const char *format, va_list arguments) {
    size_t length = format_into_with(text, size, format, arguments);
    if (length < size)
        return length;
    size_t format_length = strlen(format);
    bool is_line = format_length > 0 && format[format_length - 1] == '\n';
    memcpy(text + size - 1 - 3 - is_line, "...\n", 3 + (size_t)is_line);
    return size - 1;
}

bool error_set(struct error *error, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    error_format(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    return false;
}
