/*
 * What the JIT remembers from one start to the next, in /profile: the profile (profile_file.h) and
 * compiled code (object_cache.h). Both belong to one build of the program on one kind of CPU; with
 * another they begin anew, and the console says so. They are written by jit_persist_save()
 * (jit_runtime.h).
 */
#pragma once
#include "kernel_lib/jit/function.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Reads both, gives jit_functions() the arguments seen in earlier starts, and lets the engine
 * install the code in the cache: those functions begin on the level that they had. Needs the
 * configuration and the engine. */
void jit_persist_start(void);

/* The level that the function reached in earlier starts; JIT_INTERPRETER when there were none. */
enum jit_level jit_profile_last_level(const struct jit_function *function);

/* What the last start allowed; JIT_INTERPRETER when there was none. */
enum jit_level jit_profile_max_level(void);

/* How often the function was called in an earlier start, on average; 0 when there were none. */
uint64_t jit_profile_usual_calls(const struct jit_function *function);

/* A version of the function, with body's code in this shape, was timed. */
void jit_profile_note_candidate(const struct jit_function *function,
                                const struct jit_function *body, unsigned shape, uint64_t cycles,
                                bool chosen);

#ifdef __cplusplus
}
#endif
