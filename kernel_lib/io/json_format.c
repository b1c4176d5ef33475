#include "kernel_lib/io/format.h"
#include <string.h>

static void put_character(text_sink *sink, void *context, const struct utf8 *utf8) {
    char text[8];
    size_t size;
    if (utf8->character == '"' || utf8->character == '\\') {
        text[0] = '\\';
        text[1] = utf8->bytes[0];
        size = 2;
    } else if (utf8_is_control(utf8->character)) {
        size = format_into(text, sizeof text, "\\u%04x", (unsigned)utf8->character);
    } else {
        size = utf8->size;
        memcpy(text, utf8->bytes, size);
    }
    sink(context, text, size);
}

static void put_string(text_sink *sink, void *context, const char *string, size_t size) {
    struct utf8 utf8 = {0};
    for (size_t i = 0; i < size; i += !utf8.again)
        if (utf8_take(&utf8, string[i]))
            put_character(sink, context, &utf8);
    utf8_clean_end(&utf8, sink, context);
}

void json_format(text_sink *sink, void *context, const char *format, va_list values) {
    format_text(sink, context, put_string, format, values);
}
