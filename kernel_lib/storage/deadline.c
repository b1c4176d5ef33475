#include "deadline.h"
#include "kernel_lib/runtime.h"

/* Before this many cycles nobody looks at the clock, which may still have to be measured. */
#define CYCLES_BEFORE_CLOCK (1ull << 26)

bool deadline_passed(struct deadline *deadline) {
    uint64_t now = cpu_rdtsc();
    if (deadline->start == 0)
        deadline->start = now;
    uint64_t passed = now - deadline->start;
    return passed > CYCLES_BEFORE_CLOCK && passed > DEADLINE_SECONDS * cpu_cycles_per_second();
}

void wait_milliseconds(unsigned milliseconds) {
    uint64_t start = cpu_rdtsc(), cycles = cpu_cycles_per_second() / 1000 * milliseconds;
    while (cpu_rdtsc() - start < cycles)
        ;
}
