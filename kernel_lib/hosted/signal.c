/* Signals, and the ends of a program that goes wrong. */
#include "kernel_lib/hosted/abort.h"
#include "kernel_lib/hosted/output.h"
#include "kernel_lib/io/format.h"
#include "kernel_lib/program.h"
#include "kernel_lib/runtime.h"
#include <errno.h>
#include <signal.h>

#define SIGNALS 32

static void (*handlers[SIGNALS])(int); /* SIG_DFL is NULL */

void (*signal(int number, void (*handler)(int)))(int) {
    if (number < 1 || number >= SIGNALS) {
        errno = EINVAL;
        return SIG_ERR;
    }
    void (*before)(int) = handlers[number];
    handlers[number] = handler;
    return before;
}

static void put_error(void *context, const char *bytes, size_t size) {
    (void)context;
    program_error(bytes, size);
}

/* Prints to standard error. */
__attribute__((format(printf, 1, 2))) static void tell(const char *format, ...) {
    va_list values;
    va_start(values, format);
    format_text(put_error, NULL, NULL, format, values);
    va_end(values);
}

int raise(int number) {
    if (number < 1 || number >= SIGNALS) {
        errno = EINVAL;
        return -1;
    }
    void (*handler)(int) = handlers[number];
    if (handler == SIG_IGN)
        return 0;
    if (handler) {
        handlers[number] = SIG_DFL;
        handler(number);
        return 0;
    }
    if (number == SIGABRT)
        panic("abort was called");
    tell("error: the program has raised signal %d\n", number);
    program_exit(128 + number);
}

_Noreturn void _Exit(int code) {
    platform_exit(code);
}

_Noreturn void program_abort(void) {
    raise(SIGABRT);
    panic("abort was called");
}

_Noreturn void program_assertion_failed(const char *condition, const char *file, unsigned line,
                                        const char *function) {
    tell("%s:%u: %s: %s does not hold\n", file, line, function, condition);
    program_abort();
}
