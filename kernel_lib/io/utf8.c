#include "kernel_lib/io/utf8.h"
#include <string.h>

/* How many bytes follow a character's first one; -1 if none begins so. */
static int bytes_after(uint8_t first) {
    if (first < 0x80)
        return 0;
    if (first < 0xC2 || first > 0xF4)
        return -1;
    return first < 0xE0 ? 1 : first < 0xF0 ? 2 : 3;
}

/* Whether the byte may follow what is there. The second byte decides about characters that are too
 * long for what they say, surrogates, and what is above U+10FFFF. */
static bool may_follow(const struct utf8 *utf8, uint8_t byte) {
    uint8_t first = (uint8_t)utf8->bytes[0], least = 0x80, most = 0xBF;
    if (utf8->size == 1) {
        if (first == 0xE0)
            least = 0xA0;
        else if (first == 0xED)
            most = 0x9F;
        else if (first == 0xF0)
            least = 0x90;
        else if (first == 0xF4)
            most = 0x8F;
    }
    return byte >= least && byte <= most;
}

static bool malformed(struct utf8 *utf8) {
    utf8->character = UTF8_MALFORMED;
    memcpy(utf8->bytes, "\xEF\xBF\xBD", 3);
    utf8->size = 3;
    utf8->missing = 0;
    return true;
}

bool utf8_take(struct utf8 *utf8, char byte) {
    uint8_t value = (uint8_t)byte;
    utf8->again = utf8->missing > 0 && !may_follow(utf8, value);
    if (utf8->again)
        return malformed(utf8);
    if (utf8->missing == 0) {
        int more = bytes_after(value);
        if (more < 0)
            return malformed(utf8);
        utf8->size = 0;
        utf8->missing = (uint8_t)more + 1;
        utf8->character = more ? value & (0x3Fu >> more) : value;
    } else {
        utf8->character = utf8->character << 6 | (value & 0x3F);
    }
    utf8->bytes[utf8->size++] = byte;
    return --utf8->missing == 0;
}

bool utf8_is_control(uint32_t character) {
    return character < ' ' || (character >= 0x7F && character < 0xA0);
}

void utf8_clean(struct utf8 *utf8, const char *bytes, size_t size, text_sink *sink, void *context) {
    char clean[64];
    size_t length = 0;
    for (size_t i = 0; i < size; i += !utf8->again) {
        if (!utf8_take(utf8, bytes[i]) ||
            (utf8_is_control(utf8->character) && bytes[i] != '\n' && bytes[i] != '\t'))
            continue;
        if (length + utf8->size > sizeof clean) {
            sink(context, clean, length);
            length = 0;
        }
        memcpy(clean + length, utf8->bytes, utf8->size);
        length += utf8->size;
    }
    if (length > 0)
        sink(context, clean, length);
}

void utf8_clean_end(struct utf8 *utf8, text_sink *sink, void *context) {
    if (utf8->missing > 0) {
        malformed(utf8);
        sink(context, utf8->bytes, utf8->size);
    }
}
