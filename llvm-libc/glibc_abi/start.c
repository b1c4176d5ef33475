/*
 * What glibc does before main: the thread's variables, and C++'s constructors of static objects
 * (System V ABI for x86-64, 3.4; "ELF Handling For Thread-Local Storage", 3.4.6).
 */
#include "llvm-libc/glibc_abi/start.h"
#include "kernel_lib/runtime.h"

/* Symbols of tinyllama/linker.ld. */
extern const char __tls_start[], __tls_file_size[], __tls_size[];
extern void (*const __init_array_start[])(int, char **, char **);
extern void (*const __init_array_end[])(int, char **, char **);

#define TLS_ROOM 1024
#define TLS_ALIGNMENT 64

/* Where FS points: the thread's variables end here. */
struct thread {
    struct thread *self;
    uint64_t unused[4];
    uint64_t stack_canary; /* at fs:0x28; objects made with -fstack-protector look at it */
};

static struct {
    _Alignas(TLS_ALIGNMENT) char variables[TLS_ROOM];
    struct thread thread;
} area;

void glibc_abi_start(void) {
    static char *no_environment[] = {NULL};
    static char *no_arguments[] = {NULL};
    size_t size = (size_t)__tls_size, initialised = (size_t)__tls_file_size;
    size_t rounded = (size + TLS_ALIGNMENT - 1) & ~(size_t)(TLS_ALIGNMENT - 1);
    if (rounded > TLS_ROOM)
        panic("%zu bytes of thread-local variables are more than %d", size, TLS_ROOM);
    memcpy(area.variables + TLS_ROOM - rounded, __tls_start, initialised);
    area.thread.self = &area.thread;
    area.thread.stack_canary = cpu_rdtsc() << 8; /* a zero byte stops strings */
    platform_set_thread_pointer(&area.thread);
    for (size_t i = 0; i < (size_t)(__init_array_end - __init_array_start); i++)
        __init_array_start[i](0, no_arguments, no_environment);
}
