// sources: boot/unpack/zstd.c boot/unpack/sequences.c boot/unpack/huffman.c boot/unpack/fse.c
// libraries: zstd
/* The loader's decoder next to the Zstandard library, over everything a frame can be made of, good
 * and damaged, in place: the output grows from the beginning of a block of memory over the frame at
 * its end. */
#include "boot/unpack/zstd.h"
#include "chance.h"
#include "check.h"
#include <sanitizer/asan_interface.h>
#include <string.h>
#include <zstd.h>

#define LARGEST 700000
#define DAMAGES 60 /* of each frame, less for long ones */

static struct zstd decoder;
static uint8_t input[LARGEST], output[LARGEST], frame[ZSTD_COMPRESSBOUND(LARGEST) + 4096];
static uint32_t seed = 1;

static uint32_t next_random(uint32_t below) {
    chance_next(&seed);
    return (uint32_t)((uint64_t)(seed ^ seed >> 16) * below >> 32);
}

/* What the frames turned out to have in them. */
static unsigned blocks[3], literals[4], one_stream, four_streams, modes[3][4];

/* Counts what a compressed block has (RFC 8878, 3.1.1.3). */
static void look_into_block(const uint8_t *in) {
    unsigned type = in[0] & 3, format = in[0] >> 2 & 3, size;
    literals[type]++;
    uint64_t header =
        in[0] | in[1] << 8 | in[2] << 16 | (uint64_t)in[3] << 24 | (uint64_t)in[4] << 32;
    if (type >= 2) {
        static const unsigned widths[] = {10, 10, 14, 18}, bytes[] = {3, 3, 4, 5};
        *(format ? &four_streams : &one_stream) += 1;
        size = bytes[format] + (header >> (4 + widths[format]) & ((1u << widths[format]) - 1));
    } else {
        static const unsigned shifts[] = {3, 4, 3, 4}, bytes[] = {1, 2, 1, 3};
        static const unsigned masks[] = {0xFF, 0xFFFF, 0xFF, 0xFFFFFF};
        size = bytes[format] + (type ? 1 : (header & masks[format]) >> shifts[format]);
    }
    in += size;
    if (!in[0])
        return;
    in += in[0] < 128 ? 1 : in[0] < 255 ? 2 : 3;
    for (unsigned i = 0; i < 3; i++)
        modes[i][in[0] >> (6 - 2 * i) & 3]++;
}

static void look_into_frame(const uint8_t *in) {
    for (in += in[4] & 0x20 ? 5 + (in[4] >> 6 ? 1 << (in[4] >> 6) : 1)
                            : 6 + (in[4] >> 6 ? 1 << (in[4] >> 6) : 0);
         ;) {
        unsigned header = in[0] | in[1] << 8 | in[2] << 16, type = header >> 1 & 3;
        blocks[type]++;
        if (type == 2)
            look_into_block(in + 3);
        in += 3 + (type == 1 ? 1 : header >> 3);
        if (header & 1)
            return;
    }
}

/* Unpacks the frame in the memory that kernel_file.py gives it. Returns the size, or -1. */
static ptrdiff_t unpack_in_place(const uint8_t *from, size_t frame_size, size_t size) {
    static uint8_t all[LARGEST + ZSTD_MAX_BLOCK + sizeof frame / 16 + 1000 + 2 * ZSTD_MARGIN];
    size_t room = size + ZSTD_MAX_BLOCK + frame_size / 16 + 1000;
    /* What the decoder may read, and must not change, is around it. */
    size_t before = sizeof all - (room + 2 * ZSTD_MARGIN);
    uint8_t *memory = all + before;
    ASAN_POISON_MEMORY_REGION(all, before);
    memset(memory, 0xA5, room + 2 * ZSTD_MARGIN);
    uint8_t *out = memory + ZSTD_MARGIN, *in = out + room - frame_size;
    memcpy(in, from, frame_size);
    uint8_t *end = zstd_unpack(&decoder, out, in, in + frame_size);
    for (unsigned i = 0; i < ZSTD_MARGIN; i++)
        CHECK(memory[i] == 0xA5 && out[room + i] == 0xA5);
    CHECK(!end || (end >= out && end <= in + frame_size));
    if (end)
        memcpy(output, out, end - out < LARGEST ? (size_t)(end - out) : LARGEST);
    ASAN_UNPOISON_MEMORY_REGION(all, before);
    return end ? end - out : -1;
}

/* Changes some bytes of a frame: it is refused, or becomes what the library makes of it. (Each
 * takes some that the other does not: the library looks at the sizes that the header promises, and
 * does not mind all bits that are left over.) */
static void damage(ZSTD_DCtx *unpacker, size_t frame_size, size_t size) {
    static uint8_t damaged[sizeof frame], theirs[LARGEST];
    for (unsigned i = 0; i < (size < 50000 ? DAMAGES : 5); i++) {
        size_t left = i % 10 ? frame_size : next_random((uint32_t)frame_size + 1);
        memcpy(damaged, frame, frame_size);
        for (unsigned changes = next_random(4) + (i % 10 > 0); changes && left; changes--)
            damaged[next_random(2) ? next_random((uint32_t)left)
                                   : next_random(left < 200 ? (uint32_t)left : 200)] ^=
                (uint8_t)(1 << next_random(8));
        ptrdiff_t ours = unpack_in_place(damaged, left, size);
        size_t result = ZSTD_decompressDCtx(unpacker, theirs, sizeof theirs, damaged, left);
        if (!ZSTD_isError(result) && ours >= 0)
            CHECK(ours == (ptrdiff_t)result && memcmp(output, theirs, result) == 0);
    }
}

/* Packs input[size] as it is or in pieces of `piece` bytes, a block or more each. */
static void check(ZSTD_CCtx *packer, ZSTD_DCtx *unpacker, size_t size, size_t piece) {
    ZSTD_outBuffer out = {frame, sizeof frame, 0};
    for (size_t at = 0; at < size || !at;) {
        size_t n = piece && piece < size - at ? piece : size - at;
        ZSTD_inBuffer in = {input + at, n, 0};
        at += n;
        size_t left =
            ZSTD_compressStream2(packer, &out, &in, at < size ? ZSTD_e_flush : ZSTD_e_end);
        CHECK(!left && in.pos == n);
        if (!size)
            break;
    }
    CHECK(unpack_in_place(frame, out.pos, size) == (ptrdiff_t)size);
    CHECK(memcmp(output, input, size) == 0);
    look_into_frame(frame);
    damage(unpacker, out.pos, size);
}

/* Fills input[size] with something of one of several kinds. */
static void make_input(unsigned kind, size_t size) {
    for (size_t i = 0; i < size;) {
        size_t n = 1 + next_random(40), back = 1 + next_random(kind == 3 ? 20 : 60000);
        if (kind == 0) /* hardly compressible */
            input[i++] = (uint8_t)next_random(256);
        else if (kind == 1) /* nothing but Huffman codes: 16 letters, the first ones most often */
            input[i++] = (uint8_t)('a' + (next_random(16) & next_random(16)));
        else if (kind == 2) /* one byte */
            input[i++] = 'x';
        else if (kind == 7 &&
                 i > 3000) { /* copies of the beginning, and nothing but x between them */
            for (back = next_random(2960); n && i < size; n--)
                input[i++] = input[back++];
            if (i < size)
                input[i++] = 'x';
        } else if (back > i || next_random(3) == 0)
            for (n = 1 + next_random(kind == 4 ? 300 : 8); n && i < size; n--)
                input[i++] =
                    (uint8_t)(kind == 5 || kind == 7 ? next_random(256) : 'a' + next_random(20));
        else
            for (; n && i < size; n--, i++)
                input[i] = input[i - back];
        if (kind == 6 && next_random(30) == 0) /* copies of a thousand and more bytes */
            for (n = 1000 + next_random(70000); n && i && i < size; n--, i++)
                input[i] = input[i - (i < 5000 ? i : 5000)];
    }
}

/* The code words, from the specification, that no compressor wrote. */
static void check_by_hand(void) {
    static const struct {
        const char *frame;
        size_t size;
        const char *expected; /* NULL: refused */
    } cases[] = {
        {"\x28\xB5\x2F\xFD\x20\x00\x01\x00\x00", 9, ""},
        {"\x28\xB5\x2F\xFD\x00\x00\x01\x00\x00", 9, ""}, /* with a window's size */
        {"\x28\xB5\x2F\xFD\x20\x05\x29\x00\x00Hello", 14, "Hello"},
        {"\x28\xB5\x2F\xFD\x20\x05\x2B\x00\x00x", 10, "xxxxx"},
        {"\x28\xB5\x2F\xFD\x20\x05\x28\x00\x00Hello\x10\x00\x00, ", 19, NULL}, /* no last block */
        {"\x28\xB5\x2F\xFD\x20\x07\x28\x00\x00Hello\x11\x00\x00, ", 19, "Hello, "},
        {"\x28\xB5\x2F\xFD\x24\x05\x29\x00\x00Hello\0\0\0\0", 18, NULL}, /* checksum */
        {"\x28\xB5\x2F\xFD\x21\x01\x05\x29\x00\x00Hello", 15, NULL},     /* dictionary */
        {"\x28\xB5\x2F\xFD\x28\x05\x29\x00\x00Hello", 14, NULL},         /* reserved bit */
        {"\x28\xB5\x2F\xFE\x20\x05\x29\x00\x00Hello", 14, NULL},         /* magic number */
        {"\x28\xB5\x2F\xFD\x20\x05\x2F\x00\x00Hello", 14, NULL},         /* reserved type */
        {"\x28\xB5\x2F\xFD\x20\x05\x31\x00\x00Hello", 14, NULL},         /* cut off */
        {"\x28\xB5\x2F\xFD\x20\x05\x29\x00\x00Hello!", 15, NULL},        /* too long */
        {"\x28\xB5\x2F\xFD\x20\x00\x01\x00", 8, NULL},
        {"\x28\xB5\x2F\xFD", 4, NULL},
        {"", 0, NULL},
        /* raw literals "ab", one sequence: 1 literal, then 3 bytes from 1 back; predefined codes */
        {"\x28\xB5\x2F\xFD\x20\x05\x2D\x00\x00\x10"
         "ab\x00\x00",
         14, NULL}, /* bytes left over */
        {"\x28\xB5\x2F\xFD\x20\x02\x25\x00\x00\x10"
         "ab\x00",
         13, "ab"},
        {"\x28\xB5\x2F\xFD\x20\x04\x1D\x00\x00\x21z\x00", 12, "zzzz"}, /* RLE literals */
        {"\x28\xB5\x2F\xFD\x20\x04\x1D\x00\x00\x23z\x00", 12, NULL},   /* treeless, no tree */
        /* a tree of 16 bytes, which are not there */
        {"\x28\xB5\x2F\xFD\x20\x01\x25\x00\x00\x12\x40\x00\x10", 13, NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ptrdiff_t size = unpack_in_place((const uint8_t *)cases[i].frame, cases[i].size, 100);
        if (cases[i].expected)
            CHECK(size == (ptrdiff_t)strlen(cases[i].expected) &&
                  memcmp(output, cases[i].expected, (size_t)size) == 0);
        else
            CHECK(size == -1);
    }
}

int main(void) {
    static const int levels[] = {-5, 1, 3, 6, 9, 13, 19, 22};
    static const size_t sizes[] = {0, 1, 7, 60, 255, 256, 1500, 20000, 131072, 131073, LARGEST};
    check_by_hand();
    ZSTD_CCtx *packer = ZSTD_createCCtx();
    ZSTD_DCtx *unpacker = ZSTD_createDCtx();
    for (unsigned round = 0; round < 8 * 8 * 4; round++) {
        size_t size =
            round < 88 ? sizes[round % 11] : 1 + next_random(next_random(8) ? 60000 : LARGEST);
        make_input(round % 8, size);
        ZSTD_CCtx_reset(packer, ZSTD_reset_session_and_parameters);
        ZSTD_CCtx_setParameter(packer, ZSTD_c_compressionLevel, levels[round / 8 % 8]);
        if (next_random(2))
            ZSTD_CCtx_setParameter(packer, ZSTD_c_windowLog, 10 + (int)next_random(14));
        /* To clear the tables of the highest levels takes longer than all else. */
        ZSTD_CCtx_setParameter(packer, ZSTD_c_hashLog, 17);
        ZSTD_CCtx_setParameter(packer, ZSTD_c_chainLog, 17);
        if (next_random(2))
            ZSTD_CCtx_setPledgedSrcSize(packer, size);
        check(packer, unpacker, size, next_random(2) ? 500 + next_random(5000) : 0);
    }
    ZSTD_freeCCtx(packer);
    ZSTD_freeDCtx(unpacker);
    for (unsigned i = 0; i < 4; i++) /* RLE literals are rare: the one by hand is enough */
        CHECK((i == 3 || blocks[i]) && (i == 1 || literals[i]) && modes[0][i] && modes[1][i] &&
              modes[2][i]);
    CHECK(one_stream && four_streams);
    puts("zstd: passed");
}
