/*
 * The program from its first constructor to its last destructor.
 */
#pragma once

/* Before app_main: the constructors, by priority. FS must point to the thread's control block. */
void program_begin(void);
/* After it: what was registered for the end, then the destructors, then what the program's streams
 * still have. Ends the program with this exit code. */
_Noreturn void program_exit(int code);
/* Of kernel_lib/hosted, if the program has streams: writes out what is in their buffers. */
void program_flush(void);
/* Of the JIT: what it does when the program is over, by return or by exit, and nobody waits. */
void program_has_ended(int code);

/* Registers a call for the end; the last one registered is made first. Returns 0, or another number
 * when there is no memory, as atexit and C++'s __cxa_atexit do. */
int program_at_exit(void (*function)(void));
int program_at_exit_with(void (*function)(void *), void *argument, void *library);
