/* The start of the Linux program: its stack, command line and heap. */
#include "kernel_lib/memory/heap.h"
#include "kernel_lib/platform/linux.h"
#include "kernel_lib/platform/linux_syscall.h"
#include "kernel_lib/runtime.h"

_Noreturn void linux_main(long *stack);

/* The kernel leaves argc, argv and the environment on the stack, aligned to 16 bytes (System V ABI
 * for x86-64, 3.4.1). */
__attribute__((naked)) _Noreturn void _start(void);
__attribute__((naked)) _Noreturn void _start(void) {
    __asm__("xorl %ebp, %ebp\n\t"
            "movq %rsp, %rdi\n\t"
            "call linux_main");
}

/* As much address space as the machine has RAM; pages become real when they are touched. */
static void make_heap(void) {
    enum { READ_WRITE = 1 | 2, PRIVATE_ANONYMOUS_NORESERVE = 0x02 | 0x20 | 0x4000 };
    struct { /* struct sysinfo, sysinfo(2) */
        long uptime;
        unsigned long loads[3], total_ram, free_ram, shared, buffers, total_swap, free_swap;
        unsigned short processes;
        unsigned long total_high, free_high;
        unsigned int unit;
        char padding[64];
    } info;
    if (system_call3(SYS_SYSINFO, (long)&info, 0, 0) < 0)
        panic("sysinfo failed");
    size_t size = (size_t)(info.total_ram * info.unit);
    long memory =
        system_call(SYS_MMAP, 0, (long)size, READ_WRITE, PRIVATE_ANONYMOUS_NORESERVE, -1, 0);
    if (memory < 0 && memory > -4096)
        panic("mmap of %zu bytes failed (error %ld)", size, -memory);
    heap_add_region((void *)memory, (char *)memory + size);
}

/* Called by _start, from assembly. */
__attribute__((used)) _Noreturn void linux_main(long *stack) {
    linux_arguments((int)stack[0], (char **)(stack + 1));
    make_heap();
    platform_exit(app_main());
}
