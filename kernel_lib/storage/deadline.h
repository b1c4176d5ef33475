/* Waiting for a disk, and a limit on it. */
#pragma once
#include <stdbool.h>
#include <stdint.h>

#define DEADLINE_SECONDS 5 /* of each command; no command transfers more than 4 MiB */

/* Starts with the first call of deadline_passed for a deadline that is zeros. */
struct deadline {
    uint64_t start;
};

/* Whether the time is over. */
bool deadline_passed(struct deadline *deadline);

/* Does nothing for at least so long: what a device may need between two steps. */
void wait_milliseconds(unsigned milliseconds);
