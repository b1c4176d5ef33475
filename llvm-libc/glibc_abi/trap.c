/* Traps: the functions of a C library that are not here (site_scons/bareflow/libc/traps.py). */
#include "kernel_lib/runtime.h"
#include "llvm-libc/glibc_abi/start.h"

/* Called by the trap's label, which has a frame of its own: behind it is whoever called the label.
 */
void trap(const char *name) {
    const uintptr_t *frame = __builtin_frame_address(0);
    const uintptr_t *label = (const uintptr_t *)frame[0];
    console_event("{\"event\":\"trap\",\"name\":\"%s\",\"address\":\"0x%lx\"}", name, label[1]);
    panic("trap: %s was called", name);
}
