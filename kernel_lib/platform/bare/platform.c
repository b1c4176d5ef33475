/* What the console writes on the bare machine: to serial line and screen. */
#include "kernel_lib/cpu/control.h"
#include "kernel_lib/cpu/descriptors.h"
#include "kernel_lib/debug/backtrace.h"
#include "kernel_lib/io/terminal.h"
#include "kernel_lib/io/utf8.h"
#include "kernel_lib/platform/bare/power.h"
#include "kernel_lib/runtime.h"
#include <stdarg.h>
#include <stdio.h>

#define MAX_LINE 512 /* longer formatted output is cut (error_format) */

static bool line_start = true; /* on the serial line */

/* The application's text on the serial line: docs/serial-line.md. */
static enum { NO_TEXT, IN_TEXT, INTERRUPTED } text_state;
static size_t text_bytes;
static struct utf8 text_utf8;

static void send(const char *bytes, size_t size) {
    serial_write(bytes, size);
    if (size > 0)
        line_start = bytes[size - 1] == '\n';
}

static void send_and_show(const char *bytes, size_t size) {
    send(bytes, size);
    terminal_write(bytes, size);
}

static void send_part(void *context, const char *bytes, size_t size) {
    (void)context;
    send(bytes, size);
}

static void begin_event(void) {
    if (!line_start)
        send("\n", 1);
    serial_puts("@bareflow ");
}

static void send_event(const char *format, va_list values) {
    begin_event();
    json_format(send_part, NULL, format, values);
    send("\n", 1);
}

__attribute__((format(printf, 1, 2))) static void send_text_event(const char *format, ...) {
    va_list values;
    va_start(values, format);
    send_event(format, values);
    va_end(values);
}

/* What is written next is no text. */
static void leave_text(void) {
    if (text_state != IN_TEXT)
        return;
    text_state = INTERRUPTED;
    send_and_show("\n", 1);
    send_text_event("{\"event\":\"text_pause\",\"bytes\":%zu}", text_bytes);
}

void console_text_begin(void) {
    text_bytes = 0;
    text_utf8 = (struct utf8){0};
    console_event("{\"event\":\"text_begin\"}");
    text_state = IN_TEXT;
}

static void send_text(void *context, const char *bytes, size_t size) {
    (void)context;
    if (text_state == INTERRUPTED)
        send_text_event("{\"event\":\"text_resume\",\"bytes\":%zu}", text_bytes);
    text_state = IN_TEXT;
    for (size_t i = 0; i < size; i++) {
        /* No line of text looks like an event: an @ at its start is sent twice. */
        if (line_start && bytes[i] == '@')
            send("@", 1);
        send(bytes + i, 1);
    }
    terminal_write(bytes, size);
    text_bytes += size;
}

void console_text(const char *bytes, size_t size) {
    utf8_clean(&text_utf8, bytes, size, send_text, NULL);
}

void console_text_end(void) {
    utf8_clean_end(&text_utf8, send_text, NULL);
    if (text_state == IN_TEXT)
        send_and_show("\n", 1);
    text_state = NO_TEXT;
    send_text_event("{\"event\":\"text_end\",\"bytes\":%zu}", text_bytes);
}

void console_write(const char *bytes, size_t size) {
    leave_text();
    send_and_show(bytes, size);
}

void console_puts(const char *string) {
    console_write(string, strlen(string));
}

void console_status(const char *text) {
    terminal_status(text);
}

static void write_part(void *context, const char *bytes, size_t size) {
    (void)context;
    console_write(bytes, size);
}

static void print(const char *format, va_list arguments) {
    char line[MAX_LINE];
    struct utf8 utf8 = {0};
    utf8_clean(&utf8, line, error_format(line, sizeof line, format, arguments), write_part, NULL);
    utf8_clean_end(&utf8, write_part, NULL);
}

void console_printf(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print(format, arguments);
    va_end(arguments);
}

void console_progress(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    print(format, arguments);
    va_end(arguments);
}

void console_event(const char *format, ...) {
    va_list arguments;
    leave_text();
    va_start(arguments, format);
    send_event(format, arguments);
    va_end(arguments);
}

void console_event_made(const char *json) {
    leave_text();
    begin_event();
    send(json, strlen(json));
    send("\n", 1);
}

void platform_set_thread_pointer(void *block) {
    descriptors_set_thread_pointer(block);
}

_Noreturn void panic(const char *format, ...) {
    cpu_interrupts_off();
    va_list arguments;
    console_puts("\npanic: ");
    va_start(arguments, format);
    print(format, arguments);
    va_end(arguments);
    console_puts("\n");
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);
    backtrace_print((struct frame){(uintptr_t)panic + 1, here, here, true, false});
    machine_stop(1);
}
