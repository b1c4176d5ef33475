/*
 * Text that comes from outside (typed, made by a model, from a file) on its way to people and
 * programs: decoded from UTF-8, and free of what would steer a terminal or break an event.
 */
#pragma once
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Takes the next part of a text. */
typedef void text_sink(void *context, const char *bytes, size_t size);

#define UTF8_MALFORMED UINT32_MAX

/* A character of UTF-8 while its bytes come in (The Unicode Standard, table 3-7). All zeros: no
 * byte has come. */
struct utf8 {
    uint32_t character; /* complete; UTF8_MALFORMED for bytes that are none */
    char bytes[4];      /* of it; for bytes that are none, those of U+FFFD */
    uint8_t size;
    uint8_t missing; /* bytes */
    bool again;      /* the byte has ended what was malformed, and is to be taken again */
};

/* Takes a byte. True when a character is complete; a caller goes on with the same byte while
 * utf8->again. */
bool utf8_take(struct utf8 *utf8, char byte);

/* Whether a character is a control character, of ASCII (C0, delete) or of those above (C1). */
bool utf8_is_control(uint32_t character);

/*
 * Passes on a text of which nothing can steer a terminal: well-formed UTF-8 without control
 * characters other than line breaks and tabs, with U+FFFD for what is malformed. The text may come
 * in parts, with the same state; utf8_clean_end is to follow the last one.
 */
void utf8_clean(struct utf8 *utf8, const char *bytes, size_t size, text_sink *sink, void *context);
void utf8_clean_end(struct utf8 *utf8, text_sink *sink, void *context);

/* printf for JSON, with the conversions of io/format.h: every %s gives the inside of a JSON string
 * (RFC 8259, section 7), whatever is in it. */
void json_format(text_sink *sink, void *context, const char *format, va_list values);
