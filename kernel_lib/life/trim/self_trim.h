/*
 * The running kernel writes a copy of itself without the functions that never ran. Nothing is
 * linked: all that stays has its address.
 */
#pragma once
#include "kernel_lib/error.h"
#include <stdint.h>

/* Whether this kernel can be trimmed: it is no such copy, and an earlier boot is recorded. If not,
 * *error says why. */
bool self_trim_possible(struct error *error);

/* Whether a function that the copy might go without has run in this boot, and in no earlier one.
 * Only a boot that is recorded can tell. */
bool self_trim_sees_new_functions(void);

/* Bytes of memory for the unpacked kernel, which self_trim() takes besides the compressor's. */
uint64_t self_trim_memory(void);

/* Writes the copy as a snapshot, which must be possible. go_on is asked now and then; when it
 * returns false, the work is given up. False and *error if there is no copy; nothing has changed
 * then. */
bool self_trim(bool (*go_on)(void), struct error *error);
