/*
 * A number that stays the same until power is switched off, and differs after.
 */
#pragma once
#include <stdbool.h>
#include <stdint.h>

/* The number; the first boot that asks for it makes it and leaves it in memory. */
uint64_t power_session(void);
/* Whether an earlier boot has made it: power has been on since. */
bool power_session_is_old(void);
