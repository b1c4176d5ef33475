/*
 * The end of the program: what both platforms share.
 */
#pragma once

/* Calls the function that platform_on_exit (runtime.h) was given, if any. */
void platform_call_on_exit(void);
