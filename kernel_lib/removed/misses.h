/*
 * /profile/MISSES.TXT: the functions and variables that were used although the trim had removed
 * them, one name a line. The next trim keeps them.
 */
#pragma once
#include "kernel_lib/error.h"
#include <stddef.h>

#define MISSES_PATH "/profile/MISSES.TXT"
#define MISSES_SIZE 0x8000 /* most bytes of the file */

/* Adds a name unless the file has it. False and *error if the file cannot be written or is full.
 * It must not be called while it runs. */
bool misses_add(const char *name, struct error *error);

/* The file's text, *size bytes of whole lines; it is valid until the next call. Without a file, or
 * if it cannot be read, *size is 0. */
const char *misses_read(size_t *size);
