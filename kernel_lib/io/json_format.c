#include "kernel_lib/io/utf8.h"
#include <stdio.h>
#include <string.h>

/* What text is made of, for functions that share its arguments. */
struct json {
    text_sink *sink;
    void *context;
    va_list values;
};

static void put_character(struct json *json, const struct utf8 *utf8) {
    char text[8];
    size_t size;
    if (utf8->character == '"' || utf8->character == '\\') {
        text[0] = '\\';
        text[1] = utf8->bytes[0];
        size = 2;
    } else if (utf8_is_control(utf8->character)) {
        size = (size_t)snprintf(text, sizeof text, "\\u%04x", (unsigned)utf8->character);
    } else {
        size = utf8->size;
        memcpy(text, utf8->bytes, size);
    }
    json->sink(json->context, text, size);
}

/* At most limit bytes of the string. */
static void put_string(struct json *json, const char *string, size_t limit) {
    struct utf8 utf8 = {0};
    for (size_t i = 0; i < limit && string[i]; i += !utf8.again)
        if (utf8_take(&utf8, string[i]))
            put_character(json, &utf8);
    utf8_clean_end(&utf8, json->sink, json->context);
}

static size_t read_number(const char **at) {
    size_t number = 0;
    for (; **at >= '0' && **at <= '9'; ++*at)
        number = number * 10 + (size_t)(**at - '0');
    return number;
}

static uint64_t take_unsigned(struct json *json, unsigned longs, bool is_size) {
    if (is_size)
        return va_arg(json->values, size_t);
    return longs == 0   ? va_arg(json->values, unsigned)
           : longs == 1 ? va_arg(json->values, unsigned long)
                        : va_arg(json->values, unsigned long long);
}

static int64_t take_signed(struct json *json, unsigned longs) {
    return longs == 0   ? va_arg(json->values, int)
           : longs == 1 ? va_arg(json->values, long)
                        : va_arg(json->values, long long);
}

/* Writes what the format asks for behind a "%"; returns the format's rest. */
static const char *put_value(struct json *json, const char *format) {
    char text[32];
    int length = 0;
    int width = (int)read_number(&format);
    size_t limit = SIZE_MAX;
    if (*format == '.') {
        format++;
        limit = read_number(&format);
    }
    bool is_size = *format == 'z';
    format += is_size;
    unsigned longs = 0;
    for (; *format == 'l'; format++)
        longs++;
    switch (*format) {
    case 's':
        put_string(json, va_arg(json->values, const char *), limit);
        break;
    case 'd':
        length = snprintf(text, sizeof text, "%lld", (long long)take_signed(json, longs));
        break;
    case 'u':
        length = snprintf(text, sizeof text, "%0*llu", width,
                          (unsigned long long)take_unsigned(json, longs, is_size));
        break;
    case 'x':
        length = snprintf(text, sizeof text, "%0*llx", width,
                          (unsigned long long)take_unsigned(json, longs, is_size));
        break;
    default: /* "%%" */
        json->sink(json->context, format, *format != '\0');
    }
    json->sink(json->context, text, (size_t)length);
    return format + (*format != '\0');
}

void json_format(text_sink *sink, void *context, const char *format, va_list values) {
    struct json json = {.sink = sink, .context = context};
    va_copy(json.values, values);
    for (;;) {
        size_t plain = strcspn(format, "%");
        sink(context, format, plain);
        if (!format[plain])
            break;
        format = put_value(&json, format + plain + 1);
    }
    va_end(json.values);
}
