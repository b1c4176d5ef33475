/*
 * Levels of functions: which are due, compiling for them, and telling it.
 */
#pragma once
#include "kernel_lib/jit/function.h"

/* The highest level that the function may go to. */
enum jit_level tier_top(const struct jit_function *function);
/* The level after O0. On a processor O1 is left out: O2 saves more, and takes not much longer to
 * compile. */
enum jit_level tier_after_o0(void);
/* The level that is due by the number of its calls, up to top. */
enum jit_level tier_due(const struct jit_function *function, enum jit_level top);
/* Which calls of its version are to be timed (jit_function.sample_mask). */
uint32_t tier_sample_mask(const struct jit_function *function);
/* Compiles, measures, tells; false on failure, after which the level is not tried again. */
bool tier_compile(struct jit_function *function, enum jit_level level, const char *reason);
/* The same without clones for frequent argument values. */
bool tier_compile_general(struct jit_function *function, enum jit_level level, const char *reason);
/* The same, and the time is no part of what the budget allows. */
bool tier_compile_outside(struct jit_function *function, enum jit_level level, const char *reason);
/* The same for code that goes on with a call which is in this loop; NULL on failure, after which
 * the function is not compiled for this level. */
void *tier_continue(struct jit_function *function, uint32_t loop, enum jit_level level);
/* Tells programs what the function runs now, and the cycles that making it took. */
void tier_tell(const struct jit_function *function, uint64_t cycles);
