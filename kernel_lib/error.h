/*
 * How a function reports what went wrong: it returns false (or NULL) and
 * leaves one sentence for a person in *error: what is wrong and what to do.
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>

struct error {
    char text[200];
};

/* Writes the formatted message (printf format without floats) into error->text, cut to fit.
 * Returns false always, so that a failing function can `return error_set(...)`. */
bool error_set(struct error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
