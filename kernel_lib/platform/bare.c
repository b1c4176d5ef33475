/* The console on the bare machine: serial line and screen out, serial line and keyboard in. */
#include "kernel_lib/cpu/backtrace.h"
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/power.h"
#include "kernel_lib/io/terminal.h"
#include "kernel_lib/runtime.h"
#include <stdarg.h>
#include <stdio.h>

#define MAX_LINE 512 /* longer formatted output is cut */
#define DELETE 0x7F  /* what terminals send for backspace */

void console_write(const char *bytes, size_t size) {
    serial_write(bytes, size);
    terminal_write(bytes, size);
}

void console_puts(const char *string) {
    console_write(string, strlen(string));
}

void console_status(const char *text) {
    terminal_status(text);
}

/* Formats into line, which has MAX_LINE bytes; returns the length. */
static size_t format_line(char *line, const char *format, va_list arguments) {
    int length = vsnprintf(line, MAX_LINE, format, arguments);
    if (length < 0)
        return 0;
    return length < MAX_LINE ? (size_t)length : MAX_LINE - 1;
}

void console_printf(const char *format, ...) {
    char line[MAX_LINE];
    va_list arguments;
    va_start(arguments, format);
    console_write(line, format_line(line, format, arguments));
    va_end(arguments);
}

void console_event(const char *format, ...) {
    char line[MAX_LINE];
    va_list arguments;
    va_start(arguments, format);
    size_t length = format_line(line, format, arguments);
    va_end(arguments);
    serial_puts("@bareflow ");
    serial_write(line, length);
    serial_puts("\n");
}

/* What a terminal at the other end of the serial line calls enter and backspace. */
static int serial_character(void) {
    int character = serial_read();
    if (character == '\r')
        return '\n';
    return character == DELETE ? '\b' : character;
}

int console_read(void) {
    int character = keyboard_read();
    return character < 0 ? serial_character() : character;
}

int console_getchar(void) {
    for (;;) {
        cpu_interrupts_off(); /* from the look into the rings until asleep, or we might miss one */
        int character = console_read();
        if (character >= 0) {
            cpu_interrupts_on();
            return character;
        }
        cpu_wait_for_interrupt();
    }
}

void platform_set_thread_pointer(void *block) {
    cpu_write_msr(MSR_FS_BASE, (uintptr_t)block);
}

_Noreturn void panic(const char *format, ...) {
    cpu_interrupts_off();
    char line[MAX_LINE];
    va_list arguments;
    va_start(arguments, format);
    size_t length = format_line(line, format, arguments);
    va_end(arguments);
    console_puts("\npanic: ");
    console_write(line, length);
    console_puts("\n");
    backtrace_print((uintptr_t)panic, (uintptr_t)__builtin_frame_address(0), 0);
    machine_stop(1);
}
