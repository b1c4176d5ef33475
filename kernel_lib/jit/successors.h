/*
 * The kernels that a program with a JIT writes: what jit_export() and jit_trim() (jit_runtime.h)
 * do, as work that can be given up.
 */
#pragma once
#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif
#include "kernel_lib/error.h"

/* Asked now and then; once it has returned false it returns nothing else. Then the work is given
 * up, and *error says so. */
typedef bool jit_go_on(void);
#define JIT_GIVEN_UP "It was given up because a key was pressed."

/* Writes the trimmed copy as a snapshot. False and *error if there is none; nothing has changed
 * then. First it makes the native kernel with this machine's profile, and leaves that in
 * /profile/EXPORT.PRF: with another one a compilation may call functions that the copy lacks. */
bool jit_write_trimmed(jit_go_on *go_on, struct error *error);

/* The same for the native kernel. as_rehearsed: with the profile in /profile/EXPORT.PRF, if that
 * can be read. */
bool jit_write_native(bool as_rehearsed, jit_go_on *go_on, struct error *error);

/* Whether the last attempt failed because it called a function that was removed. */
bool jit_lacked_function(void);

/* Whether a compilation has failed for that reason, in this boot. */
bool jit_has_lacked_functions(void);

#ifdef __cplusplus
}
#endif
