/*
 * /profile/JIT.RUN: whether a boot is under way that runs what earlier ones have left. That is
 * code, and no checksum says that it is right: without the mark, code that hangs or faults would do
 * so in every boot from then on.
 *
 * The file is one line: "good"; "begun", from before such a boot runs anything until its first
 * result; or "worked N" from there to its end, in the Nth boot in a row that has not come to its
 * end. A boot that finds "begun", or N that is too large, uses nothing of what it finds.
 */
#pragma once
#include "kernel_lib/error.h"
#include "kernel_lib/jit_runtime.h"

/* Reads the mark. False, and *why, when what earlier boots have left is not to be used; then the
 * mark stays until run_mark_end(). */
bool run_mark_read(struct error *why);

/* Something of it is going to be used. False and *error when the mark cannot be written. From then
 * on it follows jit_note_progress() (jit_runtime.h): what cannot be written costs the next boot
 * what was remembered. */
bool run_mark_begin(struct error *error);

/* What is on the disk now is what this boot has left, which has come to the end of its work. */
void run_mark_end(void);

/* What the program has said last (jit_note_progress), and whether it has had a result. One that
 * says nothing has a result when it ends. */
enum jit_progress jit_last_progress(void);
bool jit_has_had_result(void);
/* Whether it says such things. */
bool jit_notes_progress(void);
