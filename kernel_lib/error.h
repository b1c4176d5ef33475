/*
 * How a function reports what went wrong: it returns false (or NULL) and
 * leaves one sentence for a person in *error: what is wrong and what to do.
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct error {
    char text[200];
};

/* vsnprintf for messages (io/format.h): what does not fit is cut, and the text then ends in "...",
 * with a line break if the format has one at its end. Returns the length. size is at least 8. */
size_t error_format(char *text, size_t size, const char *format, va_list arguments);

/* Writes the formatted message (printf format without floats) into error->text, cut to fit
 * (error_format). Returns false always, so that a failing function can `return error_set(...)`. */
bool error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
