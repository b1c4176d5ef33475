/* The clocks of ordinary programs: they differ between the platforms. */
#pragma once
#include <stdint.h>

/* The date: seconds since 1 January 1970, UTC. [bare] The machine's clock, which is taken to be
 * set to UTC; -1 without one. */
int64_t program_date(void);
/* Microseconds of the processor. [bare] Since power came on. */
uint64_t program_cpu_time(void);
