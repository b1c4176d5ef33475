/*
 * Signals of C17 (7.14). They come from raise and abort alone: what the processor reports ends the
 * program with the kernel's own report.
 */
#pragma once

typedef int sig_atomic_t;

#define SIG_DFL ((void (*)(int))0)
#define SIG_IGN ((void (*)(int))1)
#define SIG_ERR ((void (*)(int)) - 1)

/* The numbers are Linux's. */
#define SIGINT 2
#define SIGILL 4
#define SIGABRT 6
#define SIGFPE 8
#define SIGSEGV 11
#define SIGTERM 15

#ifdef __cplusplus
extern "C" {
#endif
/* Returns the handler before; SIG_ERR, with errno EINVAL, if there is no such signal. */
void (*signal(int number, void (*handler)(int)))(int);
/* Calls the handler. Without one the program ends: SIGABRT as by abort, others with exit status
 * 128 + number. Returns 0, or -1 if there is no such signal. */
int raise(int number);
#ifdef __cplusplus
}
#endif
