/* What the JIT has to say, kept until it can be printed. */
#include "kernel_lib/jit/log.h"
#include "kernel_lib/io/utf8.h"
#include "kernel_lib/jit_runtime.h"
#include <stdarg.h>

#define LOG_BYTES (64u * 1024) /* some 500 events */
#define MAX_MESSAGE 480        /* within a line of the console */

/* Messages one after the other, each ended by a zero and beginning with its kind. */
enum kind { SENTENCE = 's', EVENT = 'e' };
static char kept[LOG_BYTES];
static size_t used;
static unsigned lost;

/* A message while it is made. */
struct message {
    char text[MAX_MESSAGE];
    size_t size; /* it may be more than has room */
};

static void add(void *context, const char *bytes, size_t size) {
    struct message *message = context;
    if (message->size < sizeof message->text && size < sizeof message->text - message->size)
        memcpy(message->text + message->size, bytes, size);
    message->size += size;
}

static void keep(enum kind kind, const char *format, va_list values) {
    struct message message = {.size = 0};
    if (kind == EVENT)
        json_format(add, &message, format, values);
    else
        message.size = error_format(message.text, sizeof message.text, format, values);
    if (message.size >= sizeof message.text || message.size + 2 > sizeof kept - used) {
        lost++;
        return;
    }
    kept[used] = (char)kind;
    memcpy(kept + used + 1, message.text, message.size);
    kept[used + 1 + message.size] = '\0';
    used += message.size + 2;
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

size_t jit_log_end(void) {
    return used;
}

void jit_log_discard(size_t end) {
    used = end;
}

void jit_print_log(void) {
    for (size_t at = 0; at < used; at += strlen(kept + at) + 1)
        if (kept[at] == EVENT)
            console_event_made(kept + at + 1);
        else
            console_printf("%s\n", kept + at + 1);
    if (lost)
        console_event("{\"event\":\"log_full\",\"lost\":%u}", lost);
    used = lost = 0;
}
