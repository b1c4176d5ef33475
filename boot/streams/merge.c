#include "streams.h"

#define LONGEST 24 /* bytes of an instruction, and of prefixes in front of it */

_Static_assert(LONGEST <= STREAMS_MARGIN, "an instruction is longer than the margin");

enum { ONE_BYTE, TWO_BYTES, MAP_38, MAP_3A }; /* opcodes, and the maps of VEX and EVEX */

/* What follows an opcode, or what it is. */
enum {
    MODRM = 1,
    IMMEDIATE8 = 2,
    IMMEDIATE32 = 4, /* or of 16 bits, or of 64 */
    ADDRESS = 8,
    JUMP8 = 16,
    DISTANCE32 = 32,
    PREFIX = 64,
    ESCAPE = 128, /* to another map */
};

/* A bit for each opcode that has it. */
struct opcode_class {
    uint8_t map, what;
    uint32_t opcodes[8];
};

static const struct opcode_class classes[] = {
    {ONE_BYTE, MODRM, {0x0F0F0F0F, 0x0F0F0F0F, 0, 0xA0C, 0xFFFF, 0, 0xFF0F00F3, 0xC0C00000}},
    {ONE_BYTE, IMMEDIATE8, {0x10101010, 0x10101010, 0, 0xC00, 0xD, 0xFF0100, 0x302043, 0xF0}},
    {ONE_BYTE, IMMEDIATE32, {0x20202020, 0x20202020, 0, 0x300, 2, 0xFF000200, 0x80, 0}},
    {ONE_BYTE, ADDRESS, {0, 0, 0, 0, 0, 0xF, 0, 0}},
    {ONE_BYTE, JUMP8, {0, 0, 0, 0xFFFF0000, 0, 0, 0, 0x80F}},
    {ONE_BYTE, DISTANCE32, {0, 0, 0, 0, 0, 0, 0, 0x300}},
    {ONE_BYTE, PREFIX, {0, 0x40404040, 0, 0xF0, 0, 0, 0, 0xF0000}},
    {ONE_BYTE, ESCAPE, {0x8000, 0, 0, 0, 0, 0, 0, 0}},
    {TWO_BYTES,
     MODRM,
     {0xFFFFB01F, 0xFF00FFFF, ~0u, 0xFF7FFFFF, 0xFFFF0000, 0xFFFFF8F8, 0xFFFF00FF, ~0u}},
    {TWO_BYTES, IMMEDIATE8, {0, 0, 0, 0xF0000, 0, 0x4001010, 0x74, 0}},
    {TWO_BYTES, DISTANCE32, {0, 0, 0, 0, 0xFFFF, 0, 0, 0}},
    {MAP_38, MODRM, {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u}},
    {MAP_3A, MODRM | IMMEDIATE8, {~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u, ~0u}},
};
static const struct opcode_class classes_64_bit[] = {
    {ONE_BYTE, PREFIX, {0, 0, 0xFFFF, 0, 0, 0, 0, 0}}, /* REX */
    {ONE_BYTE, ESCAPE, {0, 0, 0, 4, 0, 0, 0x30, 0}},   /* EVEX, VEX */
};

struct merge {
    struct stream *streams;
    const uint8_t *start; /* of the code */
    uint8_t *out;
    bool is_64_bit;
    bool is_damaged; /* a stream is too short */
    /* of the instruction: */
    bool is_wide;        /* REX.W */
    bool has_operands16; /* the prefix 66 */
    uint8_t classes[4][256];
};

static void add_classes(struct merge *m, const struct opcode_class *class, size_t count) {
    for (; count; count--, class++)
        for (unsigned opcode = 0; opcode < 256; opcode++)
            if (class->opcodes[opcode / 32] >> opcode % 32 & 1)
                m->classes[class->map][opcode] |= class->what;
}

static unsigned take(struct merge *m, unsigned stream) {
    struct stream *s = &m->streams[stream];
    unsigned byte = 0;
    if (s->at == s->end)
        m->is_damaged = true;
    else
        byte = *s->at++;
    *m->out++ = (uint8_t)byte;
    return byte;
}

static void take_some(struct merge *m, unsigned stream, unsigned size) {
    for (; size; size--)
        take(m, stream);
}

static void put32(uint8_t *at, uint32_t value) {
    __builtin_memcpy(at, &value, sizeof value);
}

static uint32_t take32(struct merge *m, unsigned stream) {
    struct stream *s = &m->streams[stream];
    uint32_t value = 0;
    if (s->end - s->at < (ptrdiff_t)sizeof value) {
        m->is_damaged = true;
    } else {
        __builtin_memcpy(&value, s->at, sizeof value);
        value = __builtin_bswap32(value);
        s->at += sizeof value;
    }
    put32(m->out, value);
    m->out += sizeof value;
    return value;
}

static uint32_t position(const struct merge *m) {
    return (uint32_t)(m->out - m->start);
}

static void take_distance(struct merge *m, unsigned stream) {
    uint32_t target = take32(m, stream);
    put32(m->out - 4, target - position(m));
}

/* Skips what fills up a record of opcodes. */
static void end_record(struct merge *m, const uint8_t *first) {
    struct stream *s = &m->streams[STREAM_OPCODES];
    ptrdiff_t record = m->is_64_bit ? STREAM_RECORD_64 : STREAM_RECORD_32;
    ptrdiff_t filler = (first - s->at) & (record - 1);
    s->at += filler < s->end - s->at ? filler : s->end - s->at;
}

/* Skips the zero in the place of a prefix. */
static void begin_record(struct merge *m) {
    struct stream *s = &m->streams[STREAM_OPCODES];
    if (m->is_64_bit && s->at != s->end && !*s->at)
        s->at++;
}

/* Takes the rest of an opcode that escapes to another map, and what is in between. */
static unsigned take_opcode(struct merge *m, unsigned first, unsigned *map) {
    if (first == 0x0F) {
        unsigned opcode = take(m, STREAM_OPCODES);
        *map = TWO_BYTES;
        if ((opcode & 0xFD) != 0x38)
            return opcode;
        *map = opcode == 0x38 ? MAP_38 : MAP_3A;
    } else {
        *map = take(m, STREAM_OPCODES) & 3; /* of VEX and EVEX */
        if (first == 0xC5)
            *map = TWO_BYTES;
        else
            take_some(m, STREAM_OPCODES, first == 0xC4 ? 1 : 2);
    }
    return take(m, STREAM_OPCODES);
}

/* Takes what follows the ModRM byte. Returns where an address is that is relative to the
 * instruction's end, or NULL. */
static uint8_t *take_operand(struct merge *m, unsigned modrm) {
    unsigned mode = modrm >> 6, base = modrm & 7;
    bool has_sib = mode != 3 && base == 4;
    if (has_sib)
        base = take(m, STREAM_SIB) & 7;
    if (mode == 1) {
        take(m, STREAM_DISPLACEMENTS8);
    } else if (mode == 2 || (mode == 0 && base == 5)) {
        bool is_relative = m->is_64_bit && mode == 0 && !has_sib;
        take32(m, is_relative ? STREAM_RELATIVE : STREAM_DISPLACEMENTS32);
        return is_relative ? m->out - 4 : NULL;
    }
    return NULL;
}

/* Takes an immediate that is not one of 8 bits, an address or a distance. */
static void take_immediate(struct merge *m, unsigned opcode, unsigned what) {
    if (what & JUMP8)
        take(m, STREAM_JUMPS8);
    else if (what & DISTANCE32)
        take_distance(m, opcode == 0xE8 ? STREAM_CALLS : STREAM_JUMPS32);
    else if (what & ADDRESS && !m->is_64_bit)
        take32(m, STREAM_DISPLACEMENTS32);
    else if (what & ADDRESS || ((opcode & 0xF8) == 0xB8 && m->is_wide))
        take_some(m, STREAM_IMMEDIATES, 8);
    else if (m->has_operands16 && !m->is_wide)
        take_some(m, STREAM_IMMEDIATES, 2);
    else
        take32(m, STREAM_IMMEDIATES32);
}

/* Takes the rest of the instruction that begins with this byte, of this class. */
static void take_instruction(struct merge *m, unsigned opcode, unsigned what) {
    unsigned map = ONE_BYTE;
    uint8_t *relative = NULL;
    if (what & ESCAPE) {
        opcode = take_opcode(m, opcode, &map);
        what = m->classes[map][opcode];
    }
    if (what & MODRM) {
        unsigned modrm = take(m, map == ONE_BYTE ? STREAM_OPCODES : STREAM_MODRM);
        if (map == ONE_BYTE && (opcode & 0xFE) == 0xF6 && !(modrm & 0x30)) /* TEST */
            what |= opcode == 0xF6 ? IMMEDIATE8 : IMMEDIATE32;
        relative = take_operand(m, modrm);
    }
    if (what & IMMEDIATE8)
        take(m, STREAM_IMMEDIATES8);
    else if (what & (IMMEDIATE32 | ADDRESS | JUMP8 | DISTANCE32))
        take_immediate(m, opcode, what);
    if (relative) {
        uint32_t target;
        __builtin_memcpy(&target, relative, sizeof target);
        put32(relative, target - position(m));
    }
}

bool streams_merge(struct stream streams[STREAMS], bool is_64_bit, uint8_t *out, uint8_t *end) {
    struct merge m;
    m.streams = streams;
    m.start = m.out = out;
    m.is_64_bit = is_64_bit;
    m.is_damaged = m.is_wide = m.has_operands16 = false;
    uint8_t *all = &m.classes[0][0];
    for (unsigned i = 0; i < sizeof m.classes; i++)
        all[i] = 0;
    add_classes(&m, classes, sizeof classes / sizeof *classes);
    if (is_64_bit)
        add_classes(&m, classes_64_bit, sizeof classes_64_bit / sizeof *classes_64_bit);
    const uint8_t *first = streams[STREAM_OPCODES].at;
    begin_record(&m);
    while (m.out < end && !m.is_damaged) {
        unsigned byte = take(&m, STREAM_OPCODES), what = m.classes[ONE_BYTE][byte];
        if (what & PREFIX) {
            m.is_wide = (byte & 0xF8) == 0x48;
            m.has_operands16 = m.has_operands16 || byte == 0x66;
        } else {
            take_instruction(&m, byte, what);
            end_record(&m, first);
            begin_record(&m);
            m.is_wide = m.has_operands16 = false;
        }
    }
    for (unsigned i = 0; i < STREAM_DATA; i++)
        m.is_damaged = m.is_damaged || streams[i].at != streams[i].end;
    return !m.is_damaged && m.out == end;
}
