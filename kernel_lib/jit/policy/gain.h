/*
 * What better code saves.
 */
#pragma once
#include "kernel_lib/jit/function.h"

/* What part of the time that the function takes on its level, better code will save. */
double gain_part(struct jit_function *function);

/* The cycles that better code could make fewer: those that the function has taken on its level. */
int64_t gain_time(const struct jit_function *function);

/* The cycles that better code is expected to save from now on, at the time running of
 * budget_running(); goes_on says that the function is known to be called again and again. */
double gain_expected(struct jit_function *function, uint64_t running, bool goes_on);
