#include "kernel_lib/hosted/date.h"
#include "kernel_lib/platform/linux/syscall.h"

enum { CLOCK_REALTIME = 0, CLOCK_PROCESS_CPUTIME_ID = 2 };

struct time {
    int64_t seconds, nanoseconds;
};

static struct time now(int clock) {
    struct time time;
    system_call3(SYS_CLOCK_GETTIME, clock, (long)&time, 0);
    return time;
}

int64_t program_date(void) {
    return now(CLOCK_REALTIME).seconds;
}

uint64_t program_cpu_time(void) {
    struct time time = now(CLOCK_PROCESS_CPUTIME_ID);
    return (uint64_t)time.seconds * 1000000 + (uint64_t)time.nanoseconds / 1000;
}
