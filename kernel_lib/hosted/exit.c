/* How a program ends before its main returns (C17, 7.22.4), and what ends with it. */
#include "kernel_lib/hosted/output.h"
#include "kernel_lib/program.h"
#include "kernel_lib/runtime.h"

_Noreturn void abort(void);
_Noreturn void exit(int code);
_Noreturn void _Exit(int code);
char *getenv(const char *name);

_Noreturn void abort(void) {
    panic("abort was called");
}

_Noreturn void exit(int code) {
    program_exit(code);
}

_Noreturn void _Exit(int code) {
    platform_exit(code);
}

/* There is no environment. */
char *getenv(const char *name) {
    (void)name;
    return NULL;
}
