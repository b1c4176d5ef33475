/*
 * Files that the guest alone writes, such as the JIT's profile. On a disk each has two generations,
 * PATH and PATH with "~" in place of its last character, which are overwritten by turns; a power
 * cut while one is written leaves the other. kernel_lib/storage/generations.c has the format and
 * says what is known to be on the medium. Under platform=linux it is one ordinary file.
 */
#pragma once
#include "kernel_lib/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The newest generation's contents, the caller's to free. NULL if not: with an empty error->text
 * when there is none yet, else *error says why. */
uint8_t *generation_read(const char *path, size_t limit, size_t *size, struct error *error);

/* [bare] Forgets what is known of all files: for when the disk has become another one. */
void generations_forget(void);

/* Writes the next generation. */
bool generation_write(const char *path, const void *bytes, size_t size, struct error *error);
