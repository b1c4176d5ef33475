/*
 * The levels on which a function of the application runs.
 */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

enum jit_level { JIT_INTERPRETER, JIT_O0, JIT_O1, JIT_O2, JIT_O3, JIT_LEVELS };

/* "interpreter", "O0" to "O3". */
const char *jit_level_name(enum jit_level level);

#ifdef __cplusplus
}
#endif
