/*
 * Autotuning: which of several candidates for the highest level is the fastest is measured on the
 * function's real calls.
 */
#pragma once
#include "kernel_lib/jit/function.h"

/* How many candidates the function has for the highest level; 1: no choice. */
unsigned autotune_candidates(struct jit_function *function);
/* Begins to time them; false when none could be made. */
bool autotune_begin(struct jit_function *function, const char *reason);
/* Makes one of its candidates that was not made yet; false when all are. */
bool autotune_prepare(struct jit_function *function);
/* A call of the candidate that has its turn took so long, and ended now. May compile and exchange
 * versions. True when autotuning is over. */
bool autotune_note_call(struct jit_function *function, uint64_t cycles, uint64_t now);
