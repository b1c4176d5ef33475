/*
 * runtime.h for a Linux program without any other C library: standard input and output as the
 * console, events on standard error.
 */
#include "kernel_lib/config/config.h"
#include "kernel_lib/io/typed.h"
#include "kernel_lib/io/utf8.h"
#include "kernel_lib/platform/linux/linux.h"
#include "kernel_lib/platform/linux/syscall.h"
#include "kernel_lib/platform/on_exit.h"
#include "kernel_lib/runtime.h"
#include <stdarg.h>

#define STANDARD_INPUT 0
#define MAX_LINE 512

/* ---- Configuration ---- */

static void set(const char *key, size_t key_size, const char *value) {
    size_t size = strlen(value) + 1;
    struct setting *setting = config_new(key, key_size, size);
    if (!setting)
        panic("no memory for the settings");
    memcpy(setting->value, value, size);
    config_add(setting);
}

void linux_arguments(int count, char **arguments) {
    for (int i = 1; i < count; i++) {
        const char *argument = arguments[i], *equals = strchr(argument, '=');
        if (!equals) {
            console_printf("error: argument \"%s\": settings are key=value\n", argument);
            platform_exit(2);
        }
        size_t key_size = (size_t)(equals - argument);
        if (key_size == strlen("root") && strncmp(argument, "root", key_size) == 0)
            linux_root = equals + 1;
        else
            set(argument, key_size, equals + 1); /* the last one of a key wins */
    }
}

/* ---- Console ---- */

/* Without saving anything. */
_Noreturn static void stop(int code) {
    linux_terminal_end();
    for (;;)
        system_call3(SYS_EXIT_GROUP, code, 0, 0);
}

void linux_write(int descriptor, const char *bytes, size_t size) {
    while (size > 0) {
        long written = system_call3(SYS_WRITE, descriptor, (long)bytes, (long)size);
        if (written <= 0)
            stop(1); /* nobody is listening */
        bytes += written;
        size -= (size_t)written;
    }
}

void console_write(const char *bytes, size_t size) {
    linux_write(STANDARD_OUTPUT, bytes, size);
}

void console_puts(const char *string) {
    console_write(string, strlen(string));
}

static void write_part(void *context, const char *bytes, size_t size) {
    (void)context;
    console_write(bytes, size);
}

static void print(const char *format, va_list values) {
    char line[MAX_LINE];
    struct utf8 utf8 = {0};
    utf8_clean(&utf8, line, error_format(line, sizeof line, format, values), write_part, NULL);
    utf8_clean_end(&utf8, write_part, NULL);
}

void console_status(const char *text) {
    (void)text;
}

void console_printf(const char *format, ...) {
    va_list values;
    va_start(values, format);
    print(format, values);
    va_end(values);
}

void console_progress(const char *format, ...) {
    char line[MAX_LINE];
    va_list values;
    va_start(values, format);
    linux_write(STANDARD_ERROR, line, error_format(line, sizeof line, format, values));
    va_end(values);
}

/* What of an event has not been written yet. */
struct event {
    char bytes[MAX_LINE];
    size_t size;
};

static void flush_event(struct event *event) {
    linux_write(STANDARD_ERROR, event->bytes, event->size);
    event->size = 0;
}

static void add_to_event(void *context, const char *bytes, size_t size) {
    struct event *event = context;
    for (size_t i = 0; i < size; i++) {
        if (event->size == sizeof event->bytes)
            flush_event(event);
        event->bytes[event->size++] = bytes[i];
    }
}

void console_event(const char *format, ...) {
    struct event event = {.size = 0};
    va_list values;
    va_start(values, format);
    add_to_event(&event, "@bareflow ", 10);
    json_format(add_to_event, &event, format, values);
    add_to_event(&event, "\n", 1);
    va_end(values);
    flush_event(&event);
}

void console_event_made(const char *json) {
    struct event event = {.size = 0};
    add_to_event(&event, "@bareflow ", 10);
    add_to_event(&event, json, strlen(json));
    add_to_event(&event, "\n", 1);
    flush_event(&event);
}

/* Events have a stream of their own, so that nothing interrupts a text. */
static size_t text_bytes;
static struct utf8 text_utf8;

void console_text_begin(void) {
    text_bytes = 0;
    text_utf8 = (struct utf8){0};
    console_event("{\"event\":\"text_begin\"}");
}

static void write_text(void *context, const char *bytes, size_t size) {
    (void)context;
    console_write(bytes, size);
    text_bytes += size;
}

void console_text(const char *bytes, size_t size) {
    utf8_clean(&text_utf8, bytes, size, write_text, NULL);
}

void console_text_end(void) {
    utf8_clean_end(&text_utf8, write_text, NULL);
    console_puts("\n");
    console_event("{\"event\":\"text_end\",\"bytes\":%zu}", text_bytes);
}

enum { READABLE = 1 };

/* Reads input that comes within this many milliseconds. Returns its bytes; 0: nothing came. */
static short poll_input(unsigned milliseconds) {
    struct {
        int descriptor;
        short events, found;
    } input = {.descriptor = STANDARD_INPUT, .events = READABLE};
    long ready = system_call3(SYS_POLL, (long)&input, 1, milliseconds);
    return ready == 1 ? input.found : 0;
}

/* The next character; -1 at the end of input and, unless waiting, when there is none. */
static int next_character(bool waiting) {
    static struct typed typed;
    unsigned char byte;
    linux_terminal_begin();
    while (waiting || poll_input(0) & READABLE) {
        if (system_call3(SYS_READ, STANDARD_INPUT, (long)&byte, 1) != 1)
            break;
        int character = typed_byte(&typed, byte);
        if (character >= 0)
            return character;
    }
    return -1;
}

int console_getchar(void) {
    return next_character(true);
}

int console_read(void) {
    return next_character(false);
}

bool console_wait(unsigned milliseconds) {
    linux_terminal_begin();
    return poll_input(milliseconds) != 0;
}

/* ---- Processor ---- */

static uint64_t nanoseconds(void) {
    enum { CLOCK_MONOTONIC_RAW = 4 };
    struct {
        int64_t seconds, nanoseconds;
    } time;
    system_call3(SYS_CLOCK_GETTIME, CLOCK_MONOTONIC_RAW, (long)&time, 0);
    return (uint64_t)time.seconds * 1000000000u + (uint64_t)time.nanoseconds;
}

uint64_t cpu_cycles_per_second(void) {
    enum { MEASUREMENT = 10000000 }; /* ns */
    static uint64_t frequency;
    if (frequency)
        return frequency;
    uint64_t begin = nanoseconds(), first = cpu_rdtsc(), elapsed;
    do
        elapsed = nanoseconds() - begin;
    while (elapsed < MEASUREMENT);
    frequency = (cpu_rdtsc() - first) * 1000000000u / elapsed;
    return frequency;
}

void platform_set_thread_pointer(void *block) {
    enum { SET_FS = 0x1002 };
    system_call3(SYS_ARCH_PRCTL, SET_FS, (long)block, 0);
}

/* ---- Boot slots ---- */

void boot_slots_report_success(void) {
    /* No loader waits for it. */
}

/* ---- End ---- */

_Noreturn void platform_exit(int code) {
    platform_call_on_exit();
    stop(code);
}

_Noreturn void platform_reboot(void) {
    platform_exit(0);
}

_Noreturn void panic(const char *format, ...) {
    va_list values;
    va_start(values, format);
    console_puts("\npanic: ");
    print(format, values);
    console_puts("\n");
    va_end(values);
    stop(1);
}
