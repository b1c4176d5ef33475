/*
 * The status line.
 */
#pragma once
#include "kernel_lib/jit/function.h"

/* Shows the state of now, unless that was done lately. */
void report_status(uint64_t now);
/* Shows that the function is being compiled for the level. */
void report_compiling(const struct jit_function *function, enum jit_level level);
