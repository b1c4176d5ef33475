/*
 * When functions are compiled.
 */
#pragma once
#include <stdbool.h>

/* Compiling is decided on until optimize_end(); false when that is going on already: what compiling
 * calls may be timed, too. */
bool optimize_begin(void);
void optimize_end(void);
