/*
 * QEMU's firmware configuration device: named files that the command line of
 * QEMU hands to the guest (docs/specs/fw_cfg in QEMU's source).
 */
#pragma once
#include <stddef.h>

/* Reads the whole file name ("opt/..."): allocated by malloc, *size bytes; NULL when there is no
 * such file, no QEMU or no memory. */
char *fw_cfg_read(const char *name, size_t *size);
