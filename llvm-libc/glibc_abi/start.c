/* What glibc does before main, besides what kernel_lib does for every program. */
#include "llvm-libc/glibc_abi/start.h"
#include "kernel_lib/runtime.h"

void glibc_abi_start(void) {
    uint64_t canary = cpu_rdtsc() << 8; /* a zero byte stops strings */
    __asm__ volatile("movq %0, %%fs:0x28" : : "r"(canary));
}
