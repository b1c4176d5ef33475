#include "fat_internal.h"
#include <string.h>

#define UNITS_PER_PIECE 13
#define LAST_PIECE 0x40

static uint16_t upper(uint16_t unit) {
    return unit >= 'a' && unit <= 'z' ? (uint16_t)(unit - 'a' + 'A') : unit;
}

/* Decodes one character of UTF-8 (RFC 3629); the number of bytes, 0 when they are not valid. */
static size_t decode_utf8(const char *text, size_t size, uint32_t *character) {
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = (unsigned char)text[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xC0 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    if (length == 0 || length > size || lead > 0xF4)
        return 0;
    uint32_t value = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (byte & 0x3F);
    }
    if (value < smallest[length] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
        return 0;
    *character = value;
    return length;
}

static bool is_short_name_character(uint16_t unit) {
    return (unit >= 'A' && unit <= 'Z') || (unit >= '0' && unit <= '9') ||
           (unit > ' ' && unit < 0x7F && strchr("!#$%&'()-@^_`{}~", unit) != NULL);
}

/* Makes the 8.3 form, padded with blanks, of a name in upper case; false when it has none. */
static bool make_short_name(uint8_t short_name[11], const uint16_t *units, uint32_t length) {
    memset(short_name, ' ', 11);
    uint32_t position = 0, limit = 8;
    for (uint32_t i = 0; i < length; i++) {
        if (units[i] == '.' && limit == 8 && i > 0) {
            position = 8;
            limit = 11;
        } else if (position < limit && is_short_name_character(units[i])) {
            short_name[position++] = (uint8_t)units[i];
        } else {
            return false;
        }
    }
    return position > (limit == 8 ? 0 : 8); /* "NAME." has an empty extension */
}

bool fat_name_from_text(struct fat_name *name, const char *text, size_t size) {
    name->length = 0;
    while (size > 0) {
        uint32_t character;
        size_t used = decode_utf8(text, size, &character);
        if (used == 0 || name->length + 2 > FAT_NAME_UNITS + (character < 0x10000))
            return false;
        if (character < 0x10000) {
            name->units[name->length++] = upper((uint16_t)character);
        } else {
            name->units[name->length++] = (uint16_t)(0xD7C0 + (character >> 10));
            name->units[name->length++] = (uint16_t)(0xDC00 + (character & 0x3FF));
        }
        text += used;
        size -= used;
    }
    name->is_short = make_short_name(name->short_name, name->units, name->length);
    return name->length > 0;
}

/* The checksum of the short name that ties a long name to it (fatgen103, ChkSum). */
static uint8_t short_name_checksum(const uint8_t name[11]) {
    uint8_t sum = 0;
    for (int i = 0; i < 11; i++)
        sum = (uint8_t)((sum >> 1 | sum << 7) + name[i]);
    return sum;
}

/* Whether a piece of a long name equals its part of the name, with the zero that ends it. */
static bool piece_is_equal(const struct fat_name *name, const struct fat_long_entry *piece,
                           uint32_t first) {
    uint8_t bytes[2 * UNITS_PER_PIECE];
    memcpy(bytes, piece->units_1, sizeof piece->units_1);
    memcpy(bytes + 10, piece->units_2, sizeof piece->units_2);
    memcpy(bytes + 22, piece->units_3, sizeof piece->units_3);
    for (uint32_t i = 0; i < UNITS_PER_PIECE && first + i <= name->length; i++) {
        uint16_t unit = (uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8);
        uint16_t wanted = first + i < name->length ? name->units[first + i] : 0;
        if (upper(unit) != wanted)
            return false;
    }
    return true;
}

bool fat_name_matches(const struct fat_name *name, struct fat_match *match,
                      const struct fat_entry *entry) {
    struct fat_match before = *match;
    memset(match, 0, sizeof *match);
    if (entry->name[0] == FAT_NAME_DELETED)
        return false;

    if (entry->attributes == FAT_LONG_NAME) {
        const struct fat_long_entry *piece = (const void *)entry;
        uint8_t order = piece->order & 0x3F;
        if (order == 0)
            return false;
        uint32_t first = (order - 1u) * UNITS_PER_PIECE;
        bool equal;
        if (piece->order & LAST_PIECE)
            /* The last piece holds the name's end. */
            equal = name->length > first && name->length <= first + UNITS_PER_PIECE;
        else if (order == before.order - 1 && piece->checksum == before.checksum)
            equal = before.equal;
        else
            return false;
        match->order = order;
        match->checksum = piece->checksum;
        match->equal = equal && piece_is_equal(name, piece, first);
        return false;
    }

    if (entry->attributes & FAT_VOLUME_LABEL)
        return false;
    if (before.order == 1 && before.equal && before.checksum == short_name_checksum(entry->name))
        return true;
    return name->is_short && memcmp(entry->name, name->short_name, 11) == 0;
}
