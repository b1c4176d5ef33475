#include "kernel_lib/platform/on_exit.h"
#include "kernel_lib/runtime.h"

static void (*exit_function)(void);

void platform_on_exit(void (*function)(void)) {
    exit_function = function;
}

void platform_call_on_exit(void) {
    if (exit_function)
        exit_function();
}
