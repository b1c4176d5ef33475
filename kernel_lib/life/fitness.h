/*
 * Whether this kernel fits the machine that it was booted on.
 */
#pragma once

/* Continues only if this CPU has all instruction sets that the application's code needs. Otherwise
 * another kernel boots (snapshots_pass_over); if there is none, says so and ends with code 1. */
void fitness_check_cpu(void);

/* The same for the application's model (jit_note_model). The code works with any: if there is no
 * other kernel, continues with this one. */
void fitness_check_model(const char *model);
