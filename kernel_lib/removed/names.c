#include "kernel_lib/removed/names.h"
#include "kernel_lib/removed/lz4_stream.h"

#define LEB128_CONTINUES 0x80

/* Where in an entry the next byte belongs. */
enum field { FIELD_ID, FIELD_COMMON, FIELD_NAME };

struct search {
    uint32_t wanted, id;
    unsigned shift;
    enum field field;
    uint32_t length;
    char *name;
    bool is_found;
};

static bool take_id(struct search *s, uint8_t byte) {
    if (s->shift < 32)
        s->id += (uint32_t)(byte & (LEB128_CONTINUES - 1)) << s->shift;
    s->shift += 7;
    if (byte & LEB128_CONTINUES)
        return true;
    s->field = FIELD_COMMON;
    return s->id <= s->wanted;
}

static bool take_name(struct search *s, uint8_t byte) {
    s->name[s->length] = (char)byte;
    if (byte != 0)
        return ++s->length < REMOVED_NAME_SIZE;
    s->is_found = s->id == s->wanted;
    s->field = FIELD_ID;
    s->shift = 0;
    return !s->is_found;
}

static bool take(void *context, uint8_t byte) {
    struct search *s = context;
    switch (s->field) {
    case FIELD_ID:
        return take_id(s, byte);
    case FIELD_COMMON:
        s->length = byte;
        s->field = FIELD_NAME;
        return true;
    case FIELD_NAME:
        break;
    }
    return take_name(s, byte);
}

bool removed_name(const struct removed_names *table, uint32_t id, char name[REMOVED_NAME_SIZE]) {
    struct search search = {.wanted = id, .name = name};
    return table->count > 0 && lz4_stream(table->block, table->size, take, &search) &&
           search.is_found;
}
