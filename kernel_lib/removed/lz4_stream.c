#include "kernel_lib/removed/lz4_stream.h"

#define WINDOW 0x10000 /* a match's offset has 16 bits */
#define MIN_MATCH 4
#define LENGTH_CONTINUES 15 /* a length in four bits: more bytes follow */
#define BYTE_CONTINUES 255

struct stream {
    const uint8_t *at, *end;
    bool (*take)(void *context, uint8_t byte);
    void *context;
    size_t written;
    bool is_done, is_damaged;
};

static uint8_t window[WINDOW];

static uint8_t next(struct stream *s) {
    if (s->at < s->end)
        return *s->at++;
    s->is_damaged = true;
    return 0;
}

static size_t length(struct stream *s, unsigned nibble) {
    size_t total = nibble;
    for (uint8_t more = BYTE_CONTINUES; nibble == LENGTH_CONTINUES && more == BYTE_CONTINUES;) {
        more = next(s);
        total += more;
    }
    return total;
}

static bool is_over(const struct stream *s) {
    return s->is_done || s->is_damaged;
}

static void put(struct stream *s, uint8_t byte) {
    window[s->written++ % WINDOW] = byte;
    s->is_done = !s->take(s->context, byte);
}

static void put_literals(struct stream *s, size_t count) {
    while (count-- > 0 && !is_over(s)) {
        uint8_t byte = next(s);
        if (!s->is_damaged)
            put(s, byte);
    }
}

static void put_match(struct stream *s, size_t offset, size_t count) {
    if (offset == 0 || offset > s->written)
        s->is_damaged = true;
    while (count-- > 0 && !is_over(s))
        put(s, window[(s->written - offset) % WINDOW]);
}

bool lz4_stream(const uint8_t *block, size_t size, bool (*take)(void *context, uint8_t byte),
                void *context) {
    struct stream s = {.at = block, .end = block + size, .take = take, .context = context};
    while (!is_over(&s)) {
        uint8_t token = next(&s);
        put_literals(&s, length(&s, token >> 4));
        if (is_over(&s) || s.at == s.end) /* the last sequence has no match */
            break;
        size_t offset = next(&s);
        offset |= (size_t)next(&s) << 8;
        put_match(&s, offset, length(&s, token & 15) + MIN_MATCH);
    }
    return !s.is_damaged;
}
