/* Files that are read as a whole. */
#pragma once
#include "kernel_lib/runtime.h"

/* The bytes of the file at path, with a zero behind them, from malloc; *size is without that. NULL
 * and *error if it cannot be read, or is larger than the memory. */
char *whole_file(const char *path, size_t *size, struct error *error);
