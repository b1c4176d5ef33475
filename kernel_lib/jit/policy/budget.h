/*
 * What compiling may cost. All times are TSC cycles; now is jit_clock().
 */
#pragma once
#include "kernel_lib/jit/function.h"

/* What compiling the function for this level is expected to take; with clones, where it gets
 * them. */
uint64_t budget_expect(const struct jit_function *function, enum jit_level level);
/* The same without clones. */
uint64_t budget_expect_general(const struct jit_function *function, enum jit_level level);
/* The same, but for the first compilation on a level not what it takes more than later ones. */
uint64_t budget_expect_later(const struct jit_function *function, enum jit_level level);
/* What the next compilation takes more because it is this boot's first one, and all of the
 * compiler's code is new: as much as the first one of an earlier boot has taken. 0: it is not the
 * first, or earlier boots had none. */
uint64_t budget_start(void);
/* What the first compilation of an earlier boot has taken; 0: there was none. */
void budget_set_earlier_first(uint64_t cycles);
/* Whether compiling may take so many more cycles by now. */
bool budget_allows(uint64_t cycles, uint64_t now);
/* Whether the JIT began so lately that more is allowed. */
bool budget_in_start(uint64_t now);
/* What compiling a usual function for O0 takes: a measure of time that suits the machine. */
uint64_t budget_unit(void);
/* Cycles since the JIT began that went neither into compiling nor into waiting for input. */
uint64_t budget_running(uint64_t now);
/* Whether what is compiled from now on is compiled while the application waits for input. */
void budget_set_idle(bool on);
/* Compiling the function, with or without clones, took so long, up to now. */
void budget_charge(const struct jit_function *function, enum jit_level level, bool clones,
                   uint64_t cycles);
/* The same without clones, but the time is no part of what the budget allows. */
void budget_charge_outside(const struct jit_function *function, enum jit_level level,
                           uint64_t cycles);
/* Counts one more version that was compiled. */
void budget_count(void);
