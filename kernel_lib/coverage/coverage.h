/*
 * Which native functions have run since boot, by one-shot breakpoints. The first byte of every
 * function whose size the build knows becomes INT3. The first call traps. The handler (called by
 * interrupts.asm) puts the byte back, notes the function, and resumes. So each function traps once.
 *
 * What runs before the breakpoints are placed is not seen. A program that is to be covered from
 * boot on defines `const bool coverage_by_default = true;`. Then they are placed as soon as there
 * are exception handlers, and what ran before runs again (start.c). Otherwise the setting
 * `coverage = on` places them when the configuration has been read.
 */
#pragma once
#include "kernel_lib/error.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const bool coverage_by_default; /* in the table of symbols: each link has its own */

/* Places the breakpoints. The functions on the call stack count as executed. Needs exception
 * handlers. */
void coverage_start(void);

/* Follows the setting `coverage`. on: coverage starts. off: the breakpoints are removed, and what
 * has been noted is discarded. */
void coverage_configure(void);

/* Whether functions are being recorded. */
bool coverage_running(void);

/* The functions that have run, as indices of kernel_symbols in the order of their first calls, and
 * in *count their number. Those of which no first call was seen come first. */
const uint32_t *coverage_order(uint32_t *count);

/* Sets the bits (one for each of kernel_symbols) of the functions that have run in earlier boots of
 * this build, by /profile/COVERAGE.BIN. False and *error if that has none. */
bool coverage_of_earlier_boots(uint8_t *bits, struct error *error);

/* The same for this boot and all earlier ones. False and *error if this boot is not recorded, or if
 * no earlier one of this build is. */
bool coverage_of_all_boots(uint8_t *bits, struct error *error);

/* Merges what has run into /profile/COVERAGE.BIN, with an event. A failure is a message. Does
 * nothing when coverage is not running. */
void coverage_save(void);
