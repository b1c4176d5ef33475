/*
 * Whose time it was: how much of a timed call's cycles the function took for itself.
 */
#pragma once
#include "kernel_lib/jit/function.h"

/* A timed call begins. */
void time_begin_call(void);

/* What a timed call stands for. */
struct sample {
    uint64_t stands_for; /* calls */
    uint64_t most;       /* cycles of the others, at most: beyond, this one was interrupted */
};

/* The call that began last has ended. Returns the cycles of all the calls that it stands for,
 * without those of the timed calls within and of compiling; *paused are those of compiling in this
 * one. Only on average is a call within as long as those that it stands for, so what is returned
 * may be negative; the sum over many calls is right. */
int64_t time_end_call(uint64_t cycles, const struct sample *sample, uint64_t *paused);

/* A loop of the call that began last, of this function, goes on. Returns the cycles that the call
 * has taken for itself since it last said so; 0 the first time. */
int64_t time_in_loops(const struct jit_function *function, uint64_t now);

/* The cycles of now are no function's: of compiling, or of waiting for input. */
void time_add_pause(uint64_t cycles);

/* The cycles that the function has taken for itself, on all levels. */
int64_t time_self(const struct jit_function *function);
