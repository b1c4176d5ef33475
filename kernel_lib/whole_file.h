/* Small files read whole. */
#pragma once
#include "kernel_lib/error.h"
#include <stddef.h>
#include <stdint.h>

/* The file's contents, the caller's to free. NULL if not: with an empty error->text when it cannot
 * be opened, which is how most files begin; else *error says why. */
uint8_t *whole_file_read(const char *path, size_t limit, size_t *size, struct error *error);
