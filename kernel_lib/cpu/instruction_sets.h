/*
 * The optional instruction sets of x86-64 that compiled code may use, by the names that LLVM has
 * for them ("avx2"). A list is such names with commas between them, the widest first.
 */
#pragma once
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CPU_SETS_SIZE 320 /* bytes, of a list of all, with the zero at the end */

/* The list of those that this CPU has and that can be used now: the registers that they need are
 * switched on. */
void cpu_instruction_sets(char list[CPU_SETS_SIZE]);

/* The index-th name, the widest first; NULL behind the last one. */
const char *cpu_instruction_set(size_t index);

/* The first name of the list that this CPU lacks, or that is unknown; *length is its length. NULL
 * when it has all. */
const char *cpu_lacks(const char *list, size_t *length);

#ifdef __cplusplus
}
#endif
