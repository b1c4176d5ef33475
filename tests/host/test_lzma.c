// sources: boot/streams/lzma.c
// libraries: lzma
/* The loader's decoder next to liblzma's coders, with all properties that it takes, in place, good
 * and damaged. */
#include "boot/streams/lzma.h"
#include "chance.h"
#include "check.h"
#include <lzma.h>
#include <stdbool.h>
#include <string.h>

#define LARGEST 200000
#define DAMAGES 30 /* of each input, less of long ones */

static struct lzma decoder;
static uint8_t input[LARGEST], output[LARGEST], packed[2 * LARGEST];
static uint32_t seed = 1;

static uint32_t next_random(uint32_t below) {
    return chance_below(&seed, below);
}

/* Fills input[size] with something of one of several kinds. */
static void make_input(unsigned kind, size_t size) {
    for (size_t i = 0; i < size;) {
        size_t n = 1 + next_random(kind == 4 ? 600 : 20), back = 1 + next_random(1u << (kind * 4));
        if (kind == 0) /* hardly compressible */
            input[i++] = (uint8_t)next_random(256);
        else if (kind == 1) /* one byte */
            input[i++] = 'x';
        else if (back > i || next_random(3) == 0)
            for (; n && i < size; n--)
                input[i++] = (uint8_t)(kind == 2 ? next_random(256) : 'a' + next_random(20));
        else
            for (; n && i < size; n--, i++)
                input[i] = input[i - back];
    }
}

/* Unpacks packed[1..end) to output[size], with this much memory from the output's beginning to the
 * end of what is packed. Returns where that ended, or 0 if it is refused. */
static size_t unpack(unsigned properties, size_t size, size_t end, size_t room) {
    uint8_t *memory = malloc(room + 1), *in = memory + room - (end - 1);
    CHECK(room >= size && room >= end - 1);
    memcpy(in, packed + 1, end - 1);
    memory[room] = 0xA5;
    const uint8_t *ended = lzma_unpack(&decoder, properties, memory, size, in, memory + room);
    CHECK(memory[room] == 0xA5 && (!ended || (ended > in && ended <= memory + room)));
    memcpy(output, memory, size);
    size_t result = ended ? 1 + (size_t)(ended - in) : 0;
    free(memory);
    return result;
}

/* How many bytes liblzma makes of packed[end], which go to theirs[size]. */
static size_t reference(uint8_t *theirs, size_t size, size_t end, const lzma_filter *filters) {
    lzma_stream stream = LZMA_STREAM_INIT;
    CHECK(lzma_raw_decoder(&stream, filters) == LZMA_OK);
    stream.next_in = packed;
    stream.avail_in = end;
    stream.next_out = theirs;
    stream.avail_out = size;
    CHECK(lzma_code(&stream, LZMA_RUN) != LZMA_PROG_ERROR);
    lzma_end(&stream);
    return size - stream.avail_out;
}

/* Changes some bits: it is refused, or becomes what liblzma makes of it. */
static void damage(unsigned properties, size_t size, size_t end, const lzma_filter *filters) {
    static uint8_t good[sizeof packed], theirs[LARGEST];
    memcpy(good, packed, end);
    for (unsigned i = 0; i < (size < 50000 ? DAMAGES : 5); i++) {
        for (unsigned changes = 1 + next_random(3); changes; changes--)
            packed[1 + next_random(next_random(2) ? (uint32_t)end - 1 : 5)] ^=
                (uint8_t)(1 << next_random(8));
        bool is_taken = unpack(properties, size, end, size + end);
        size_t unpacked = reference(theirs, size, end, filters);
        CHECK(!is_taken || (unpacked == size && memcmp(output, theirs, size) == 0));
        memcpy(packed, good, end);
    }
}

static void check(size_t size) {
    lzma_options_lzma options;
    CHECK(!lzma_lzma_preset(&options, next_random(10)));
    options.lc = next_random(LZMA_MAX_LITERAL_BITS + 1);
    options.lp = next_random(LZMA_MAX_LITERAL_BITS + 1 - options.lc);
    options.pb = next_random(5);
    options.dict_size = LARGEST;
    options.nice_len = options.mf == LZMA_MF_BT4 && next_random(2) ? 273 : options.nice_len;
    const lzma_filter filters[] = {{LZMA_FILTER_LZMA1, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    unsigned properties = (options.pb * 5 + options.lp) * 9 + options.lc;
    size_t end = 0;
    CHECK(lzma_raw_buffer_encode(filters, NULL, input, size, packed, &end, sizeof packed) ==
          LZMA_OK);
    size_t needed = unpack(properties, size, end, size + end);
    CHECK(needed && needed < end && memcmp(input, output, size) == 0); /* there is an end marker */
    CHECK(unpack(properties, size, needed, size + end) == needed);
    CHECK(memcmp(input, output, size) == 0);
    CHECK(!unpack(properties, size, needed - 1, size + end)); /* a byte less */
    /* In place: with less and less room, until it does not fit, which is said. */
    size_t least = size > needed ? size : needed, room = size + end, fitting = 0;
    for (; room >= least && unpack(properties, size, needed, room); room -= 1 + room / 15) {
        CHECK(memcmp(input, output, size) == 0);
        fitting++;
    }
    CHECK(fitting);
    damage(properties, size, end, filters);
}

int main(void) {
    static const size_t sizes[] = {1, 2, 7, 60, 1500, 20000, LARGEST};
    for (unsigned round = 0; round < 5 * 7 * 4; round++) {
        size_t size = round < 35 ? sizes[round % 7] : 1 + next_random(30000);
        make_input(round % 5, size);
        check(size);
    }
    CHECK(!lzma_unpack(&decoder, 225, output, 1, packed, packed + 10));   /* pb = 5 */
    CHECK(!lzma_unpack(&decoder, 5, output, 1, packed, packed + 10));     /* lc = 5 */
    CHECK(!lzma_unpack(&decoder, 2 + 27, output, 1, packed, packed + 9)); /* lc = 2, lp = 3 */
    puts("lzma: passed");
}
