/*
 * Calls of functions that the trim removed. Such a function is a stub: ud2 and four bytes with its
 * id (site_scons/bareflow/trim_object.py).
 */
#pragma once
#include <stdint.h>

/*
 * Called for every #UD, with RIP and RSP as they were. Returns if that was no stub. Otherwise says
 * which function was called by which, writes its name to /profile/MISSES.TXT, and boots the disk's
 * other kernel, which has the function; without one it stops with code 1.
 */
void removed_function_called(uint64_t rip, uint64_t rsp);
