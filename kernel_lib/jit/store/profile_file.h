/*
 * /profile/JIT.PRF: how often the application's functions were called in all starts of one build on
 * one CPU, and what became of them. Pure: no disk, no console.
 *
 * It is text, in lines of words separated by single blanks; numbers are decimal:
 *
 *   bareflow jit profile 1
 *   build BUILD-ID
 *   cpu CPU-ID
 *   boots COUNT max_level L                                       the last one's jit.max_level
 *   function NAME calls COUNT level L specialised 0|1 arguments COUNT because REASON...
 *   times L calls COUNT total CYCLES min CYCLES max CYCLES        of the function above, a line a
 * level tuple calls COUNT values V...                                 as many values as it has
 * arguments candidate BODY shape BITS cycles CYCLES chosen 0|1
 *   ...
 *   crc HHHHHHHH                                                  CRC-32 of all lines before it
 *
 * L is a number of enum jit_level. Functions that were never called are left out.
 */
#pragma once
#include "kernel_lib/error.h"
#include "kernel_lib/jit/function.h"

#define PROFILE_CANDIDATES 8 /* of a function, at most */
#define PROFILE_REASON 40    /* bytes, with the zero at its end */

struct profile_candidate {
    size_t body; /* its place among the application's functions */
    unsigned shape;
    uint64_t cycles;
    bool chosen;
};

/* What is remembered of a function. */
struct profile_entry {
    uint64_t calls;
    struct jit_times times[JIT_LEVELS];
    enum jit_level level;
    bool specialised;
    uint8_t arguments, tuple_count;
    struct jit_tuple tuples[JIT_TUPLES];
    uint8_t candidate_count;
    struct profile_candidate candidates[PROFILE_CANDIDATES];
    char reason[PROFILE_REASON];
};

/* The application's functions, by whose names the file speaks of them, and an entry for each. */
struct profile {
    const char *build_id, *cpu_id;
    const struct jit_function *functions;
    size_t count;
    uint64_t boots;
    enum jit_level max_level; /* jit.max_level of the last start */
    struct profile_entry *entries;
};

/* Sets boots and entries, all of them empty; false when there is no memory. */
bool profile_init(struct profile *profile, const char *build_id, const char *cpu_id,
                  const struct jit_function *functions, size_t count);
void profile_free(struct profile *profile);

/* Reads a file of the same build and CPU into a profile that is empty. False, with the profile
 * empty again, and *why when it is another's or anything is wrong with it. */
bool profile_parse(struct profile *profile, const char *text, size_t size, struct error *why);

/* Adds what the functions have done since the start to before, which the earlier starts left; their
 * candidates are those of now if there are any. The sum is in all, which has been initialised. */
void profile_add(struct profile *all, const struct profile *before, const struct profile *now);

/* The file's text, the caller's to free; NULL when there is no memory for it. */
char *profile_write(const struct profile *profile, size_t *size);
