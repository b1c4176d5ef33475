/* The build id of a Linux program: what the file system knows of its file. */
#include "kernel_lib/platform/linux/syscall.h"
#include "kernel_lib/runtime.h"

/* struct stat of Linux on x86-64 (asm/stat.h). */
struct file_status {
    uint64_t device, inode, links;
    uint32_t mode, user, group, padding;
    uint64_t special_device, size, block_size, blocks;
    uint64_t read_seconds, read_nanoseconds;
    uint64_t written_seconds, written_nanoseconds;
    uint64_t changed_seconds, changed_nanoseconds;
    uint64_t unused[3];
};
_Static_assert(sizeof(struct file_status) == 144, "size of Linux's struct stat");

const char *platform_build_id(void) {
    static char digits[33];
    struct file_status status = {0};
    if (!digits[0]) {
        system_call3(SYS_STAT, (long)"/proc/self/exe", (long)&status, 0);
        snprintf(digits, sizeof digits, "%08x%08x%08x%08x", (unsigned)status.inode,
                 (unsigned)status.size, (unsigned)status.written_seconds,
                 (unsigned)status.written_nanoseconds);
    }
    return digits;
}

const char *platform_code_id(void) {
    return platform_build_id();
}
