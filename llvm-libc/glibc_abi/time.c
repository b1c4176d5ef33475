/* Clocks: both count from the machine's start, for nothing here knows the date. */
#include "kernel_lib/runtime.h"

#define NANOSECONDS 1000000000u

struct time {
    int64_t seconds, nanoseconds;
};

int clock_gettime(int clock, struct time *now);

int clock_gettime(int clock, struct time *now) {
    (void)clock;
    uint64_t frequency = cpu_cycles_per_second(), cycles = cpu_rdtsc();
    now->seconds = (int64_t)(cycles / frequency);
    now->nanoseconds = (int64_t)((__uint128_t)(cycles % frequency) * NANOSECONDS / frequency);
    return 0;
}
