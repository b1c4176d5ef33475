/* Time: what kernel_lib itself needs beyond runtime.h. */
#pragma once

/* Starts the PIT running, so that cpu_cycles_per_second(), called some milliseconds later, need not
 * wait for it. Its first call costs up to 2 ms if it comes earlier, or after 55 ms. */
void clock_start(void);
