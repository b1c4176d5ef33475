#include "kernel_lib/io/format.h"
#include <string.h>

#define MOST_DIGITS 24

/* What a text is made of, for functions that share its arguments. */
struct output {
    text_sink *sink;
    void *context;
    format_string *string;
    va_list values;
};

/* One conversion: what stands between "%" and its letter. */
struct conversion {
    size_t width, precision;
    unsigned longs;
    bool is_left, has_zeros, has_prefix, is_size;
};

static void put_as_it_is(text_sink *sink, void *context, const char *string, size_t size) {
    sink(context, string, size);
}

static void fill(struct output *output, char with, size_t width, size_t size) {
    for (; width > size; width--)
        output->sink(output->context, &with, 1);
}

/* The number at *at, or the argument that "*" there stands for. */
static size_t take_count(struct output *output, const char **at) {
    size_t number = 0;
    if (**at == '*') {
        ++*at;
        return (size_t)va_arg(output->values, int);
    }
    for (; **at >= '0' && **at <= '9'; ++*at)
        number = number * 10 + (size_t)(**at - '0');
    return number;
}

static struct conversion take_conversion(struct output *output, const char **at) {
    struct conversion conversion = {.precision = SIZE_MAX};
    for (; **at == '-' || **at == '0' || **at == '#'; ++*at) {
        conversion.is_left |= **at == '-';
        conversion.has_zeros |= **at == '0';
        conversion.has_prefix |= **at == '#';
    }
    conversion.width = take_count(output, at);
    if (**at == '.') {
        ++*at;
        conversion.precision = take_count(output, at);
    }
    for (; **at == 'l' || **at == 'z'; ++*at) {
        conversion.longs += **at == 'l';
        conversion.is_size |= **at == 'z';
    }
    return conversion;
}

static uint64_t take_unsigned(struct output *output, const struct conversion *conversion) {
    if (conversion->is_size)
        return va_arg(output->values, size_t);
    return conversion->longs == 0   ? va_arg(output->values, unsigned)
           : conversion->longs == 1 ? va_arg(output->values, unsigned long)
                                    : va_arg(output->values, unsigned long long);
}

static int64_t take_signed(struct output *output, const struct conversion *conversion) {
    return conversion->longs == 0   ? va_arg(output->values, int)
           : conversion->longs == 1 ? va_arg(output->values, long)
                                    : va_arg(output->values, long long);
}

static void put_string(struct output *output, const struct conversion *conversion,
                       const char *string) {
    size_t size = 0;
    while (size < conversion->precision && string[size])
        size++;
    if (!conversion->is_left)
        fill(output, ' ', conversion->width, size);
    output->string(output->sink, output->context, string, size);
    if (conversion->is_left)
        fill(output, ' ', conversion->width, size);
}

/* sign: what stands before the digits, such as "-" or "0x". */
static void put_number(struct output *output, const struct conversion *conversion, const char *sign,
                       uint64_t number, unsigned base, const char *digits) {
    char text[MOST_DIGITS];
    char *at = text + sizeof text;
    size_t sign_size = strlen(sign);
    do
        *--at = digits[number % base];
    while ((number /= base) > 0);
    size_t size = (size_t)(text + sizeof text - at), all = size + sign_size;
    if (!conversion->is_left && !conversion->has_zeros)
        fill(output, ' ', conversion->width, all);
    output->sink(output->context, sign, sign_size);
    if (!conversion->is_left && conversion->has_zeros)
        fill(output, '0', conversion->width, all);
    output->sink(output->context, at, size);
    if (conversion->is_left)
        fill(output, ' ', conversion->width, all);
}

/* Writes what the format asks for behind a "%"; returns the format's rest. */
static const char *put_value(struct output *output, const char *format) {
    static const char small[] = "0123456789abcdef", large[] = "0123456789ABCDEF";
    struct conversion conversion = take_conversion(output, &format);
    int64_t number;
    uint64_t bits;
    switch (*format) {
    case 's':
        put_string(output, &conversion, va_arg(output->values, const char *));
        break;
    case 'c':
        conversion.precision = 1;
        put_string(output, &conversion, (char[]){(char)va_arg(output->values, int), '\0'});
        break;
    case 'd':
    case 'i':
        number = take_signed(output, &conversion);
        put_number(output, &conversion, number < 0 ? "-" : "",
                   number < 0 ? -(uint64_t)number : (uint64_t)number, 10, small);
        break;
    case 'u':
        put_number(output, &conversion, "", take_unsigned(output, &conversion), 10, small);
        break;
    case 'x':
    case 'X':
        bits = take_unsigned(output, &conversion);
        put_number(output, &conversion,
                   !conversion.has_prefix || bits == 0 ? ""
                   : *format == 'x'                    ? "0x"
                                                       : "0X",
                   bits, 16, *format == 'x' ? small : large);
        break;
    case 'p':
        put_number(output, &conversion, "0x", (uintptr_t)va_arg(output->values, void *), 16, small);
        break;
    default: /* "%%" */
        output->sink(output->context, format, *format != '\0');
    }
    return format + (*format != '\0');
}

void format_text(text_sink *sink, void *context, format_string *string, const char *format,
                 va_list values) {
    struct output output = {
        .sink = sink, .context = context, .string = string ? string : put_as_it_is};
    va_copy(output.values, values);
    for (;;) {
        const char *plain = format;
        while (*format && *format != '%')
            format++;
        sink(context, plain, (size_t)(format - plain));
        if (!*format)
            break;
        format = put_value(&output, format + 1);
    }
    va_end(output.values);
}

struct buffer {
    char *text;
    size_t room, length;
};

static void add(void *context, const char *bytes, size_t size) {
    struct buffer *buffer = context;
    if (buffer->length < buffer->room) {
        size_t left = buffer->room - buffer->length;
        memcpy(buffer->text + buffer->length, bytes, size < left ? size : left);
    }
    buffer->length += size;
}

size_t format_into_with(char *text, size_t size, const char *format, va_list values) {
    struct buffer buffer = {text, size > 0 ? size - 1 : 0, 0};
    format_text(add, &buffer, NULL, format, values);
    if (size > 0)
        text[buffer.length < buffer.room ? buffer.length : buffer.room] = '\0';
    return buffer.length;
}

size_t format_into(char *text, size_t size, const char *format, ...) {
    va_list values;
    va_start(values, format);
    size_t length = format_into_with(text, size, format, values);
    va_end(values);
    return length;
}
