/* The C library that LLVM's and libstdc++'s archives were made for, as far as they need it. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* Before LLVM works: the stack canary, which objects made with -fstack-protector look for behind
 * the thread's control block. */
void glibc_abi_start(void);

/* A function was called that nobody should call: says which one, and stops. */
void trap(const char *name) __attribute__((noreturn));

#ifdef __cplusplus
}
#endif
