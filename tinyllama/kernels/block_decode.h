/*
 * GGUF's blocks of a panel of rows as what block_kernels.h multiplies: integers of 4 columns in
 * words, integer scales, float scales.
 */
#pragma once
#include "blocks.h"
#include "vector.h"

/* ---- Words ---- */

/* Rows that are decoded at once, without any exchange between bytes. With SSE2 that is 64 bits of
 * a general register: in QEMU's emulation those are much faster (vector.h). */
#if VECTOR_LANES == 4
typedef uint64_t bits;
typedef uint64_t bits_memory __attribute__((aligned(4), may_alias));
#else
typedef uint32_t bits __attribute__((vector_size(4 * VECTOR_LANES)));
typedef uint32_t bits_memory __attribute__((vector_size(4 * VECTOR_LANES), aligned(4), may_alias));
#endif
#define BITS_ROWS ((uint32_t)(sizeof(bits) / 4))

INLINE bits in_all_rows(uint32_t value) {
#if VECTOR_LANES == 4
    return value * UINT64_C(0x100000001);
#else
    return (bits){0} + value;
#endif
}
INLINE bits load_bits(const void *from) {
    return *(const bits_memory *)from;
}
INLINE void store_bits(void *to, bits value) {
    *(bits_memory *)to = value;
}

/* The words of a part, one after the other. */
struct part_cursor {
    const uint8_t *low, *high;
    uint32_t low_shift, high_shift;
};
INLINE struct part_cursor begin_cursor(const struct layout *l, const uint8_t *block,
                                       uint32_t part) {
    return (struct part_cursor){block + l->low[part].offset, block + l->high[part].offset,
                                l->low[part].shift, l->high[part].shift};
}
INLINE void advance(struct part_cursor *at, const struct layout *l, const enum planes planes) {
    at->low += l->stride;
    if (planes == TWO_PLANES) {
        at->high += l->high_stride;
        at->high_shift += l->high_shift;
    }
}

/* The integers of 4 columns and some rows, from byte offset of the words on. */
INLINE bits read_integers(const struct part_cursor *at, const struct layout *l, uint32_t offset,
                          const enum planes planes) {
    if (planes == BYTES)
        return load_bits(at->low + offset);
    bits value = load_bits(at->low + offset) >> at->low_shift & in_all_rows(l->low_mask);
    if (planes == LOW_PLANE)
        return value;
    bits more = load_bits(at->high + offset) >> at->high_shift & in_all_rows(l->high_mask);
    return value | more << l->above;
}

INLINE void decode_planes(uint32_t (*to)[MATRIX_TYPED_PANEL], struct part_cursor at,
                          const struct layout *l, const enum planes planes) {
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t k = 0; k < PART_WORDS; k++, advance(&at, l, planes))
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t row = 0; row < l->stride / 4; row += BITS_ROWS)
            store_bits(to[k] + row, read_integers(&at, l, row * 4, planes));
}

/* Replaces what a part has, which is below 16, by the table's numbers. */
static inline void look_up(uint32_t (*words)[MATRIX_TYPED_PANEL], uint32_t rows) {
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t k = 0; k < PART_WORDS; k++)
#pragma clang loop unroll(disable) vectorize(disable)
        for (uint32_t row = 0; row < rows; row += BITS_ROWS) {
            bits indices = load_bits(words[k] + row), numbers;
#if VECTOR_LANES == 16
            __m512i table = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)iq4_values));
            numbers = (bits)_mm512_shuffle_epi8(table, (__m512i)indices);
#elif VECTOR_LANES == 8
            __m256i table =
                _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i_u *)iq4_values));
            numbers = (bits)_mm256_shuffle_epi8(table, (__m256i)indices);
#else
            numbers = 0;
            for (int i = 0; i < 64; i += 8)
                numbers |= (uint64_t)(uint8_t)iq4_values[indices >> i & 15] << i;
#endif
            store_bits(words[k] + row, numbers);
        }
}

/* ---- Scales ---- */

INLINE vector_u32 load_u32(const void *from) {
    return (vector_u32)load(from);
}
INLINE void store_u32(void *to, vector_u32 v) {
    store(to, (vector)v);
}

/* Sign-extended byte of each word, as multiplying by scales wants it. */
static inline vector_u32 scale_of_byte(vector_u32 words, const uint32_t byte) {
    vector_u32 number = (vector_u32)((vector_i32)(words << (24 - 8 * byte)) >> 24);
    return (number & 0xFFFF) | number << 16;
}

/* Two bytes of each word, each twice. */
static inline vector_u32 low_bytes_twice(vector_u32 words) {
    return (words & 0xFF) * 0x0101 | (words >> 8 & 0xFF) * 0x01010000;
}

/* Subtracts a byte from each byte of words, which are below 128, like it. */
static inline vector_u32 less(vector_u32 words, uint32_t byte) {
    vector_u32 high = {0};
    high += 0x80808080;
    return ((words | high) - byte * 0x01010101) ^ high;
}

/* The integer scales and minima of a block of 256 columns. */
SMALL static void decode_scales(struct decoded *to, const uint8_t *words, uint32_t rows,
                                const struct weight_type *type) {
    const uint32_t stride = rows * 4;
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t row = 0; row < rows; row += VECTOR_LANES) {
        const uint8_t *at = words + type->scale_word * stride + row * 4;
        vector_u32 w0 = load_u32(at), w1 = load_u32(at + stride), w2 = load_u32(at + 2 * stride);
        vector_u32 scales[4], minima[4]; /* a byte of each part */
        switch (type->scales) {
        case SCALES_NIBBLES:
#pragma clang loop vectorize(disable) unroll(disable)
            for (uint32_t i = 0; i < 4; i++) {
                vector_u32 both = load_u32(at + i * stride);
                scales[i] = both & 0x0F0F0F0F;
                minima[i] = both >> 4 & 0x0F0F0F0F;
            }
            break;
        case SCALES_SIX_MIN:
            scales[0] = w0 & 0x3F3F3F3F;
            minima[0] = w1 & 0x3F3F3F3F;
            scales[2] = (w2 & 0x0F0F0F0F) | (w0 >> 2 & 0x30303030);
            minima[2] = (w2 >> 4 & 0x0F0F0F0F) | (w1 >> 2 & 0x30303030);
#pragma clang loop vectorize(disable) unroll(disable)
            for (uint32_t i = 0; i < 4; i += 2) {
                scales[i + 1] = low_bytes_twice(scales[i] >> 16);
                minima[i + 1] = low_bytes_twice(minima[i] >> 16);
                scales[i] = low_bytes_twice(scales[i]);
                minima[i] = low_bytes_twice(minima[i]);
            }
            break;
        case SCALES_SIX:
            for (int i = 0; i < 4; i++) {
                vector_u32 low = (i % 2 ? w1 : w0) >> i / 2 * 4 & 0x0F0F0F0F;
                scales[i] = less(low | (w2 >> 2 * i & 0x03030303) << 4, 32);
            }
            break;
        default:
#pragma clang loop vectorize(disable) unroll(disable)
            for (uint32_t i = 0; i < 4; i++)
                scales[i] = load_u32(at + i * stride);
        }
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t i = 0; i < 4; i++) {
#pragma clang loop unroll(full)
            for (uint32_t byte = 0; byte < 4; byte++)
                store_u32(to->scales[4 * i + byte] + row, scale_of_byte(scales[i], byte));
            if (!type->minima)
                continue;
            store_u32(to->minima[2 * i] + row, (minima[i] & 0xFF) | (minima[i] & 0xFF00) << 8);
            store_u32(to->minima[2 * i + 1] + row,
                      (minima[i] >> 16 & 0xFF) | minima[i] >> 24 << 16);
        }
    }
}

/* The float scales of 32 columns each, of IQ4_XS. */
SMALL static void decode_scales_of_half(struct decoded *to, const uint8_t *words,
                                        const uint8_t *halves, uint32_t rows) {
#pragma clang loop unroll(disable)
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t low, high = 0;
        memcpy(&low, words + row * 4, sizeof low);
        memcpy(&high, halves + (rows + row) * 2, 2);
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t i = 0; i < 8; i++)
            to->min_scale[i][row] =
                (float)((int)((low >> 4 * i & 15) | (high >> 2 * i & 3) << 4) - 32);
    }
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 8; i-- > 0;) /* scale[0] last: it is a factor of all */
        for (uint32_t row = 0; row < rows; row += VECTOR_LANES)
            store(to->scale[i] + row, load(to->scale[0] + row) * load(to->min_scale[i] + row));
}

/* ---- Blocks ---- */

/* Decodes the scales of a block of so many rows of a panel, whose columns are part and following
 * ones. */
SMALL APART void decode_block_scales(struct decoded *to, uint32_t part, const uint8_t *block,
                                     uint32_t rows, const struct weight_type *type) {
    const uint8_t *halves = block + (type->bytes - 2 * type->halves) * rows;
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t row = 0; row < rows; row += VECTOR_LANES) {
        store(to->scale[part / 2] + row, load_halves(halves + row * 2));
        if (type->minima) {
            vector minimum = load_halves(halves + (rows + row) * 2);
            store(to->min_scale[part / 2] + row, type->columns == 32 ? -minimum : minimum);
        }
    }
    if (type->scales == SCALES_OF_HALF)
        decode_scales_of_half(to, block, halves, rows);
    else if (type->scales != SCALES_NONE)
        decode_scales(to, block, rows, type);
}

/* The same for its integers. */
SMALL APART void decode_block_words(struct decoded *to, uint32_t first_part, const uint8_t *block,
                                    const struct layout *l, const struct weight_type *type) {
    uint32_t parts = type->columns / WEIGHT_PART;
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t part = 0; part < parts; part++) {
        uint32_t (*words)[MATRIX_TYPED_PANEL] = to->words + (first_part + part) * PART_WORDS;
        struct part_cursor at = begin_cursor(l, block, part);
        if (l->planes == LOW_PLANE)
            decode_planes(words, at, l, LOW_PLANE);
        else
            decode_planes(words, at, l, TWO_PLANES);
        if (type->table)
            look_up(words, l->stride / 4);
    }
}
