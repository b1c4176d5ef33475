/*
 * QEMU's firmware configuration device: named files that the command line of
 * QEMU hands to the guest (docs/specs/fw_cfg in QEMU's source).
 */
#pragma once
#include "kernel_lib/error.h"
#include <stddef.h>

/* Reads the whole file name ("opt/..."): allocated by malloc, *size bytes, at most limit. NULL if
 * not: with an empty error->text when there is no such file or no QEMU, else *error says why. */
char *fw_cfg_read(const char *name, size_t limit, size_t *size, struct error *error);
