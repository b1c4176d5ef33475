/*
 * Linux system calls without a C library (System V ABI for x86-64, A.2.1; numbers from
 * asm/unistd_64.h). A result from -4095 to -1 is an error number, negated.
 */
#pragma once
#include <stdint.h>

enum {
    SYS_READ = 0,
    SYS_WRITE = 1,
    SYS_OPEN = 2,
    SYS_CLOSE = 3,
    SYS_STAT = 4,
    SYS_POLL = 7,
    SYS_LSEEK = 8,
    SYS_MMAP = 9,
    SYS_MPROTECT = 10,
    SYS_IOCTL = 16,
    SYS_PREAD64 = 17,
    SYS_PWRITE64 = 18,
    SYS_MADVISE = 28,
    SYS_FSYNC = 74,
    SYS_FTRUNCATE = 77,
    SYS_RENAME = 82,
    SYS_UNLINK = 87,
    SYS_SYSINFO = 99,
    SYS_ARCH_PRCTL = 158,
    SYS_CLOCK_GETTIME = 228,
    SYS_EXIT_GROUP = 231,
};

static inline long system_call(long number, long a, long b, long c, long d, long e, long f) {
    register long r10 __asm__("r10") = d;
    register long r8 __asm__("r8") = e;
    register long r9 __asm__("r9") = f;
    long result;
    __asm__ volatile("syscall"
                     : "=a"(result)
                     : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
                     : "rcx", "r11", "memory");
    return result;
}

static inline long system_call3(long number, long a, long b, long c) {
    return system_call(number, a, b, c, 0, 0, 0);
}
