/*
 * Which native functions have run since the start, by one-shot breakpoints: the first byte of
 * every function that the build knows the size of becomes INT3. The first call traps; the handler
 * (called by interrupts.asm) puts the byte back, notes the function, and resumes. So a function
 * costs once and then nothing.
 *
 * What runs before the breakpoints are placed is not seen. Therefore a program that is to be
 * covered from its start on defines `const bool coverage_by_default = true;`: then they are placed
 * as soon as there are exception handlers, and what ran before runs again (start.c). Otherwise the
 * setting `coverage = on` places them when the configuration has been read.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern const bool coverage_by_default; /* in the table of symbols, which each link has its own of */

/* Places the breakpoints. What is on the call stack counts as executed. Needs exception handlers.
 */
void coverage_start(void);

/* Follows the setting `coverage` (on, off): starts, or takes the breakpoints away and forgets. */
void coverage_configure(void);

/* Whether functions are being noted. */
bool coverage_running(void);

/* The functions that have run, as indices of kernel_symbols in the order of their first calls
 * (those that are only known to have run come first), and how many these are. */
const uint32_t *coverage_order(uint32_t *count);

/* Merges what has run into /profile/COVERAGE.BIN and tells it in an event; a failure is a message.
 * Nothing when coverage is not running. */
void coverage_save(void);
