/* C's clocks (C17, 7.27.2). What is made of their values is LLVM-libc's. */
#include "kernel_lib/hosted/date.h"
#include <time.h>

time_t time(time_t *result) {
    time_t now = program_date();
    if (result)
        *result = now;
    return now;
}

clock_t clock(void) {
    return (clock_t)program_cpu_time();
}

/* To the second, as the machine's clock goes. */
int timespec_get(struct timespec *result, int base) {
    if (base != TIME_UTC)
        return 0;
    *result = (struct timespec){.tv_sec = program_date()};
    return base;
}
_Static_assert(CLOCKS_PER_SEC == 1000000, "program_cpu_time counts microseconds");
