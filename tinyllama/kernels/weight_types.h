/*
 * GGUF's types of weights. A row of a matrix is a sequence of blocks.
 *
 * A block of a quantised type has 32 or 256 columns. Each column has an integer q of a few bits,
 * each WEIGHT_PART columns have an integer scale s and minimum m, a block has a float scale d and
 * minimum e: a weight is
 *
 *   d * s * (q - offset) - e * m
 *
 * where s is 1 in blocks of 32 columns, and so is m (Q4_1, Q5_1: then e is the negative of what the
 * format calls the minimum). IQ4_NL and IQ4_XS have numbers of a table in place of q - offset.
 *
 * A block is taken for a sequence of 32-bit words and one or two 16-bit halves, which are at its
 * beginning or its end.
 */
#pragma once
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WEIGHT_PART 16u          /* columns that share a scale and a minimum */
#define WEIGHT_MOST_COLUMNS 256u /* of a block */

/* Where some bits of the integers are, in words of 4 columns. */
struct bit_plane {
    uint8_t first; /* word of the block */
    uint8_t bits;  /* of each integer; 0: there are none */
    /* IN_BLOCK: the low bits of words 0 to 3 are columns 0 to 15, the next bits columns 16 to 31,
     * and so on for further words; IN_RUNS: the low bits of words 0 to 7 are columns 0 to 31, the
     * next bits columns 32 to 63, and so on; IN_PAIRS: the low bits of words 0 to 15 are columns 0
     * to 63; IN_ONE_WORD: in a file, bit i of the word is column i's. A panel has it in bit i / 4
     * of byte i % 4, where the other orders would have it. */
    enum { IN_BLOCK, IN_RUNS, IN_PAIRS, IN_ONE_WORD } order;
};

/* How the integer scales and minima are packed; in SCALES_OF_HALF the second half has bits, too. */
enum part_scales {
    SCALES_NONE,
    SCALES_NIBBLES, /* Q2_K: a byte has scale and minimum */
    SCALES_SIX_MIN, /* Q4_K, Q5_K: 12 bytes have 8 scales and minima of 6 bits, for 32 columns */
    SCALES_SIX,     /* Q3_K: 12 bytes have 16 scales of 6 bits, less 32 */
    SCALES_BYTES,   /* Q6_K */
    SCALES_OF_HALF, /* IQ4_XS: 4 bytes and a half have 8 scales of 6 bits, less 32 */
};

struct weight_type {
    const char *name;
    uint32_t number;            /* in a file */
    uint32_t columns;           /* of a block; 1: the type is no quantised one */
    uint32_t bytes;             /* of a block */
    uint8_t halves;             /* of a block: d, and e if there are minima */
    bool halves_last;           /* whether they are its end */
    struct bit_plane low, high; /* of q; high.bits is 0 when low has all */
    uint8_t offset;
    bool minima;
    bool table; /* whether q is an index of iq4_values */
    enum part_scales scales;
    uint8_t scale_word; /* the first that has scales */
    /* Where a panel has each 4 words of a block, if not in the file's order. scale_word is a word
     * of the panel, other numbers are of the file. */
    const uint8_t *places;
};

/* The numbers of the types that are not quantised. */
enum { WEIGHT_F32 = 0, WEIGHT_F16 = 1, WEIGHT_BF16 = 30 };

/* What the integers of IQ4_NL and IQ4_XS stand for. */
static const int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                      1,    13,   25,  38,  53,  69,  89,  113};

/* The type with this number; NULL if there is none. */
const struct weight_type *weight_type_find(uint32_t number);

/* Whether it is F32; no type is, too. */
static inline bool weight_is_float32(const struct weight_type *type) {
    return !type || type->number == WEIGHT_F32;
}

/* The names of all types, for messages. */
extern const char weight_type_names[];

/* 32-bit words of a block. */
static inline uint32_t weight_words(const struct weight_type *type) {
    return (type->bytes - 2u * type->halves) / 4;
}

/* Bytes of a block of a panel that are before its words. */
static inline uint32_t weight_first_word(const struct weight_type *type, uint32_t rows) {
    return 2u * type->halves * rows;
}

/* Where a panel has a word of a block. */
static inline uint32_t weight_word_place(const struct weight_type *type, uint32_t word) {
    return type->places ? type->places[word / 4] * 4u + word % 4 : word;
}

/* Bytes of a row; columns are whole blocks. */
static inline size_t weight_row_bytes(const struct weight_type *type, uint32_t columns) {
    return (size_t)columns / type->columns * type->bytes;
}

/* IEEE 754 binary16 as float32. */
static inline float float_of_half(uint16_t half) {
    /* The exponent's bias is 112 less. The product is exact, also for subnormal numbers. */
    uint32_t bits = (uint32_t)(half & 0x7FFF) << 13;
    union {
        uint32_t bits;
        float number;
    } value = {bits};
    value.number *= 0x1p112f;
    value.bits |= (half & 0x7C00) == 0x7C00 ? 0x7F800000u | bits : 0;
    value.bits |= (uint32_t)(half & 0x8000) << 16;
    return value.number;
}
