#include "console.h"
#include "kernel_lib/runtime.h"
#include <stdarg.h>

char console[4000];

void console_puts(const char *string) {
    console_printf("%s", string);
}

static void add(const char *format, va_list values) {
    size_t length = strlen(console);
    vsnprintf(console + length, sizeof console - length, format, values);
}

void console_printf(const char *format, ...) {
    va_list values;
    va_start(values, format);
    add(format, values);
    va_end(values);
}

void console_event_made(const char *json) {
    console_printf("%s\n", json);
}

void console_event(const char *format, ...) {
    va_list values;
    va_start(values, format);
    add(format, values);
    va_end(values);
    console_puts("\n");
}
