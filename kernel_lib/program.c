#include "kernel_lib/program.h"
#include "kernel_lib/runtime.h"

/* The linker's. */
typedef void (*function)(void);
extern const function __init_array_start[], __init_array_end[];
extern const function __fini_array_start[], __fini_array_end[];

static struct at_exit {
    struct at_exit *next;
    void (*function)(void *);
    void *argument;
} *at_exit;

int program_at_exit_with(void (*call)(void *), void *argument, void *library) {
    (void)library; /* there is one */
    struct at_exit *made = malloc(sizeof *made);
    if (!made)
        return -1;
    *made = (struct at_exit){at_exit, call, argument};
    at_exit = made;
    return 0;
}

static void call_without(void *call) {
    ((function)call)();
}

int program_at_exit(void (*call)(void)) {
    return program_at_exit_with(call_without, (void *)call, NULL);
}

void program_begin(void) {
    for (const function *next = __init_array_start; next < __init_array_end; next++)
        (*next)();
}

#pragma weak program_flush
#pragma weak program_has_ended
#pragma weak snapshots_report_success /* without files there are none */

_Noreturn void program_exit(int code) {
    while (at_exit) {
        struct at_exit *last = at_exit;
        at_exit = last->next; /* it may register more */
        last->function(last->argument);
    }
    for (const function *next = __fini_array_end; next > __fini_array_start;)
        (*--next)();
    if (program_flush)
        program_flush();
    if (program_has_ended)
        program_has_ended(code);
    if (snapshots_report_success)
        snapshots_report_success();
    platform_exit(code);
}
