/*
 * /profile/MISSES.TXT: the removed functions that were called after all, one name a line. The next
 * trim keeps them.
 */
#pragma once
#include "kernel_lib/error.h"

#define MISSES_PATH "/profile/MISSES.TXT"
#define MISSES_SIZE 0x8000 /* most bytes of the file */

/* Adds a name, if it is not there already. False and *error when it cannot be written, or the file
 * is full. Not to be called twice at once. */
bool misses_add(const char *name, struct error *error);
