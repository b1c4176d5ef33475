/*
 * printf for the kernel's own messages. LLVM-libc's would bring its parser, and the tables for
 * floats, into programs that print nothing.
 *
 * There are %%, %c, %s, %d, %i, %u, %x, %X and %p, with the flags "-", "0" and (%x) "#", a width,
 * a precision of strings, "*" for either of them, and the lengths l, ll and z. Anything else is
 * copied.
 */
#pragma once
#include "kernel_lib/io/utf8.h"

/* Writes a string of this size to the sink. */
typedef void format_string(text_sink *sink, void *context, const char *string, size_t size);

/* Passes the text on in parts. Each %s goes through `string`; NULL: it is passed on as it is. */
void format_text(text_sink *sink, void *context, format_string *string, const char *format,
                 va_list values);

/* vsnprintf and snprintf: what does not fit is left out, and the length is that of the whole text.
 */
size_t format_into_with(char *text, size_t size, const char *format, va_list values);
size_t format_into(char *text, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
