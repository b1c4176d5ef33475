/*
 * What the JIT remembers from one boot to the next, in /profile: the profile (profile_file.h) and
 * compiled code (object_cache.h). Both belong to one build of the program on one kind of CPU; with
 * another they begin anew, and the console says so. They are written by jit_persist_save()
 * (jit_runtime.h), and at the end of the program (platform_on_exit).
 */
#pragma once
#include "kernel_lib/jit/function.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How many boots the profile knows of, the last one's jit.max_level (JIT_INTERPRETER when there was
 * none), and what their first compilation took. */
struct jit_earlier_boots {
    uint64_t boots;
    enum jit_level max_level;
    uint64_t first_cycles;
};

/* Reads both files, gives jit_functions() what earlier boots have learnt of them, and lets the
 * engine install the code in the cache: those functions begin on the level that they had. Needs
 * the configuration and the engine. */
struct jit_earlier_boots jit_persist_start(void);

/* The profile of this boot and all earlier ones, as /profile/JIT.PRF has it (profile_file.h); the
 * caller's to free. NULL when there is no memory for it. */
char *jit_profile_text(size_t *size);

/* What jit_note_model() (jit_runtime.h) has said. */
const char *jit_model(void);

#ifdef __cplusplus
}
#endif
