/* Ends of the program, all of them early: nothing here is expected to happen. */
#include "kernel_lib/runtime.h"

_Noreturn void abort(void);
_Noreturn void exit(int code);
_Noreturn void _exit(int code);
_Noreturn void __stack_chk_fail(void);
_Noreturn void __assert_fail(const char *condition, const char *file, unsigned line,
                             const char *function);
int atexit(void (*function)(void));
int __cxa_atexit(void (*function)(void *), void *argument, void *library);

_Noreturn void abort(void) {
    panic("abort was called");
}

_Noreturn void exit(int code) {
    platform_exit(code);
}

_Noreturn void _exit(int code) {
    platform_exit(code);
}

_Noreturn void __stack_chk_fail(void) {
    panic("a function has written beyond a variable on its stack");
}

_Noreturn void __assert_fail(const char *condition, const char *file, unsigned line,
                             const char *function) {
    panic("%s:%u: %s: %s does not hold", file, line, function, condition);
}

/* The program ends by switching the machine off: destructors of static objects never run. */
int atexit(void (*function)(void)) {
    (void)function;
    return 0;
}

int __cxa_atexit(void (*function)(void *), void *argument, void *library) {
    (void)function, (void)argument, (void)library;
    return 0;
}
