/*
 * /profile/JIT.PRF: how often the application's functions were called in all boots of one build on
 * one CPU, and what became of them. Pure: no disk, no console.
 *
 * It is text, in lines of words separated by single blanks; numbers are decimal:
 *
 *   bareflow jit profile 1
 *   build BUILD-ID
 *   cpu CPU-ID
 *   boots COUNT max_level L
 *   features LIST
 *   model TEXT
 *   first_compilation CYCLES
 *   function NAME calls COUNT level L specialised 0|1 arguments COUNT because REASON...
 *   times L calls COUNT total CYCLES min CYCLES max CYCLES
 *   tuple calls COUNT values V...
 *   candidate BODY shape BITS cycles CYCLES chosen 0|1
 *   crc HHHHHHHH
 *
 * L is a number of enum jit_level. max_level is the last boot's jit.max_level. features, the CPU's
 * instruction sets (instruction_sets.h), model (jit_note_model), and first_compilation, the least
 * that the first compilation of a boot has taken, may be missing. Lines "times" (one a level),
 * "tuple" (argument values that were seen together, as many as "arguments" says) and "candidate"
 * belong to the function above them. Functions that were never called are left out. crc is the
 * CRC-32 of all lines before it.
 */
#pragma once
#include "kernel_lib/cpu/instruction_sets.h"
#include "kernel_lib/error.h"
#include "kernel_lib/jit/function.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The reason of functions that began with code of an earlier boot: the file keeps the reason for
 * which that code was compiled. */
#define JIT_FROM_CACHE "object cache"

#define PROFILE_ID 33     /* bytes of an id, at most, with the zero at the end */
#define PROFILE_MODEL 121 /* of a model's text */

/* The application's functions, by whose names the file speaks of them. What it says of a
 * function is in jit_function.earlier. */
struct profile {
    const char *build_id, *cpu_id; /* NULL: a file of any is read */
    struct jit_function *const *functions;
    size_t count;
    uint64_t boots;
    enum jit_level max_level; /* jit.max_level of the last boot */
    uint64_t first_cycles;    /* of a boot's first compilation, the least; 0: none */
    char made_by[PROFILE_ID]; /* build id of the file that was read */
    char features[CPU_SETS_SIZE];
    char model[PROFILE_MODEL];
};

/* Reads a file of the same build and CPU; boots and what functions have of earlier boots must be 0.
 * False, with all that 0 again, and *why when it is another's or anything is wrong with it. */
bool profile_parse(struct profile *profile, const char *text, size_t size, struct error *why);

/* What the function has done in this boot and in earlier ones. Candidates and argument values are
 * those of this boot if there are any. */
void profile_add(struct jit_history *all, const struct jit_function *function);

/* The file's text, with what profile_add() says of each function; the caller's to free. NULL when
 * there is no memory for it. */
char *profile_write(const struct profile *profile, size_t *size);

#ifdef __cplusplus
}
#endif
