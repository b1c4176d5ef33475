/*
 * The program from its first constructor to its last destructor.
 */
#pragma once

/* Before app_main: the constructors, by priority. FS must point to the thread's control block. */
void program_begin(void);
/* After it: what was registered for the end, then the destructors. */
void program_end(void);

/* Registers a call for the end, the last one first. 0, or not when there is no memory: what
 * atexit and C++'s __cxa_atexit promise. */
int program_at_exit(void (*function)(void));
int program_at_exit_with(void (*function)(void *), void *argument, void *library);
