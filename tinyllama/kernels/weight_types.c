/* The layouts of GGUF's blocks, as the format's reference, ggml, has them. */
#include "weight_types.h"
#include <string.h>

#define NIBBLES(word) {word, 4, IN_BLOCK}
#define FIFTH_BITS {0, 1, IN_ONE_WORD}

/* Q6_K's are in the order in which they are multiplied, so that memory is read forwards: scales,
 * and then, for each half of the columns, low bits of two parts, each with the high bits of its own
 * and of the next two, and low bits of those. */
static const uint8_t places_of_six[] = {1, 3, 5, 6, 7, 9, 11, 12, 2, 4, 8, 10, 0};

static const struct weight_type types[] = {
    {"F32", WEIGHT_F32, 1, 4, .halves = 0},
    {"F16", WEIGHT_F16, 1, 2, .halves = 1},
    {"BF16", WEIGHT_BF16, 1, 2, .halves = 1},
    {"Q8_0", 8, 32, 34, .halves = 1, .low = {0, 8, IN_BLOCK}},
    {"Q4_0", 2, 32, 18, .halves = 1, .low = NIBBLES(0), .offset = 8},
    {"Q4_1", 3, 32, 20, .halves = 2, .low = NIBBLES(0), .minima = true},
    {"Q5_0", 6, 32, 22, .halves = 1, .low = NIBBLES(1), .high = FIFTH_BITS, .offset = 16},
    {"Q5_1", 7, 32, 24, .halves = 2, .low = NIBBLES(1), .high = FIFTH_BITS, .minima = true},
    {"IQ4_NL", 20, 32, 18, .halves = 1, .low = NIBBLES(0), .table = true},
    {"IQ4_XS", 23, 256, 136, .halves = 2, .low = NIBBLES(1), .table = true,
     .scales = SCALES_OF_HALF},
    {"Q2_K", 10, 256, 84, .halves = 2, .halves_last = true, .low = {4, 2, IN_RUNS}, .minima = true,
     .scales = SCALES_NIBBLES},
    {"Q3_K", 11, 256, 110, .halves = 1, .halves_last = true, .low = {8, 2, IN_RUNS},
     .high = {0, 1, IN_RUNS}, .offset = 4, .scales = SCALES_SIX, .scale_word = 24},
    {"Q4_K", 12, 256, 144, .halves = 2, .low = {3, 4, IN_RUNS}, .minima = true,
     .scales = SCALES_SIX_MIN},
    {"Q5_K", 13, 256, 176, .halves = 2, .low = {11, 4, IN_RUNS}, .high = {3, 1, IN_RUNS},
     .minima = true, .scales = SCALES_SIX_MIN},
    {"Q6_K", 14, 256, 210, .halves = 1, .halves_last = true, .low = {0, 4, IN_PAIRS},
     .high = {32, 2, IN_RUNS}, .offset = 32, .scales = SCALES_BYTES, .places = places_of_six},
};

const char weight_type_names[] =
    "F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS";

const struct weight_type *weight_type_find(uint32_t number) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].number == number)
            return &types[i];
    return NULL;
}
