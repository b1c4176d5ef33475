#include "kernel_lib/jit/export/memory_check.h"
extern "C" {
#include "kernel_lib/runtime.h"
}

bool jit::has_memory(uint64_t bytes, struct error *error) {
    struct memory_usage memory = memory_usage();
    uint64_t free = memory.total - memory.used;
    return free >= bytes || error_set(error, "It takes %lu MiB of memory, and %lu are free.",
                                      static_cast<unsigned long>(bytes >> 20),
                                      static_cast<unsigned long>(free >> 20));
}
