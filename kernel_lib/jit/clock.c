#include "kernel_lib/jit/clock.h"
#include "kernel_lib/runtime.h"

uint64_t jit_clock(void) {
    return cpu_rdtsc();
}
