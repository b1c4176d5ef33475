/* What the JIT has to say, kept until it can be printed. */
#include "kernel_lib/jit/log.h"
#include "kernel_lib/jit_runtime.h"
#include <stdarg.h>

#define LOG_BYTES (64u * 1024) /* some 500 events */
#define MAX_MESSAGE 480        /* within a line of the console */

/* Messages one after the other, each ended by a zero and beginning with its kind. */
enum kind { SENTENCE = 's', EVENT = 'e' };
static char kept[LOG_BYTES];
static size_t used;
static unsigned lost;

static void keep(enum kind kind, const char *format, va_list values) {
    char text[MAX_MESSAGE];
    int length = vsnprintf(text, sizeof text, format, values);
    if (length < 0 || (size_t)length >= sizeof text || (size_t)length + 2 > sizeof kept - used) {
        lost++;
        return;
    }
    kept[used] = (char)kind;
    memcpy(kept + used + 1, text, (size_t)length + 1);
    used += (size_t)length + 2;
}

void jit_log(const char *format, ...) {
    va_list values;
    va_start(values, format);
    keep(SENTENCE, format, values);
    va_end(values);
}

void jit_log_event(const char *format, ...) {
    va_list values;
    va_start(values, format);
    keep(EVENT, format, values);
    va_end(values);
}

void jit_print_log(void) {
    for (size_t at = 0; at < used; at += strlen(kept + at) + 1)
        if (kept[at] == EVENT)
            console_event("%s", kept + at + 1);
        else
            console_printf("%s\n", kept + at + 1);
    if (lost)
        console_printf("%u messages of the JIT had no room\n", lost);
    used = lost = 0;
}
