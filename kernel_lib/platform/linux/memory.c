/* Rights of pages: the system does it. */
#include "kernel_lib/cpu/paging.h"
#include "kernel_lib/platform/linux/syscall.h"

bool memory_protect(uintptr_t address, size_t size, enum memory_access access,
                    struct error *error) {
    enum { READ = 1, WRITE = 2, EXECUTE = 4 };
    static const int protections[] = {
        [MEMORY_NONE] = 0,
        [MEMORY_READ] = READ,
        [MEMORY_READ_WRITE] = READ | WRITE,
        [MEMORY_READ_EXECUTE] = READ | EXECUTE,
    };
    long result = system_call3(SYS_MPROTECT, (long)address, (long)size, protections[access]);
    return result == 0 ||
           error_set(error, "memory_protect: %#lx, %zu bytes: error %ld", address, size, -result);
}
