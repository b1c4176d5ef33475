/* Traps: the functions of a C library that are not here (site_scons/bareflow/traps.py). */
#include "kernel_lib/runtime.h"
#include "llvm-libc/glibc_abi/start.h"

void trap(const char *name) {
    console_event("{\"event\":\"trap\",\"name\":\"%s\",\"address\":\"%p\"}", name,
                  __builtin_return_address(0));
    panic("trap: %s was called", name);
}
