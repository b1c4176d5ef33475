/*
 * GGUF's blocks of a panel of rows as what block_kernels.h multiplies: integers of 4 columns in
 * words, integer scales, float scales.
 */
#pragma once
#include "blocks.h"
#include "vector.h"

/* ---- Memory ---- */

/* How far ahead memory is asked for, with AVX2: by prefetch_lines, and by prefetch, for bytes. It
 * is asked for into the second-level cache: the first has too few requests under way at once to
 * keep the memory busy. With AVX-512 a panel is read line after line, and a processor fetches what
 * follows by itself. On a Zen 4 asking as well made Q8_0 15 % slower, 3,072 bytes ahead, or 36 %,
 * 12,288 bytes ahead. */
#define PREFETCH_BYTES 12288
#define PREFETCH_PART 4096
#define PREFETCH_LEVEL _MM_HINT_T1

/* Asks for bytes that will be multiplied later. */
INLINE void prefetch(const uint8_t *from, uint32_t bytes) {
#pragma clang loop unroll(disable)
    for (uint32_t i = 0; i < bytes; i += 64)
        _mm_prefetch((const char *)from + i + PREFETCH_PART, PREFETCH_LEVEL);
}

/* The same for some lines of a cache, without a loop, which takes as long as some products do. */
INLINE void prefetch_lines(const uint8_t *from, const uint32_t count) {
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < count; i++)
        _mm_prefetch((const char *)from + i * 64 + PREFETCH_BYTES, PREFETCH_LEVEL);
}

/* Asks for lines in their order, which are read in another at once: see PREFETCH_BYTES. */
INLINE void touch_lines(const uint8_t *from, const uint32_t count) {
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < count; i++)
        _mm_prefetch((const char *)from + i * 64, _MM_HINT_T0);
}

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
    const struct plane_part *p = l->parts + part;
    return (struct part_cursor){block + p->low, block + p->high, p->low_shift, p->high_shift};
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

/* The layout is copied, without its parts: for all that the compiler knows, what is stored might
 * change the one that is pointed to, whose masks would be loaded for each word. */
INLINE void decode_planes(uint32_t (*to)[MATRIX_TYPED_PANEL], struct part_cursor at,
                          const struct layout *layout, const enum planes planes) {
    const struct layout own = {.stride = layout->stride,
                               .low_mask = layout->low_mask,
                               .high_mask = layout->high_mask,
                               .above = layout->above,
                               .high_stride = layout->high_stride,
                               .high_shift = layout->high_shift},
                        *l = &own;
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t k = 0; k < PART_WORDS; k++, advance(&at, l, planes)) {
#if VECTOR_LANES == 4
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t row = 0; row < l->stride / 4; row += BITS_ROWS)
#else
#pragma clang loop unroll(full)
        for (uint32_t row = 0; row < MATRIX_TYPED_PANEL; row += BITS_ROWS)
#endif
            store_bits(to[k] + row, read_integers(&at, l, row * 4, planes));
    }
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

/* A byte of each word, sign-extended to int16 twice. */
INLINE vector_u32 scale_of_byte(vector_u32 words, const uint32_t byte) {
#if VECTOR_LANES == 4
    vector_u32 number = (vector_u32)((vector_i32)(words << (24 - 8 * byte)) >> 24);
    return (number & 0xFFFF) | number << 16;
#else
    const int upper = 0x00800080 + 0x01000100 * (int)byte, next = 0x04000400;
    __m128i from = _mm_set_epi32(upper + 3 * next, upper + 2 * next, upper + next, upper);
#if VECTOR_LANES == 16
    __m512i bytes = _mm512_shuffle_epi8((__m512i)words, _mm512_broadcast_i32x4(from));
    return (vector_u32)_mm512_srai_epi16(bytes, 8);
#else
    __m256i bytes = _mm256_shuffle_epi8((__m256i)words, _mm256_broadcastsi128_si256(from));
    return (vector_u32)_mm256_srai_epi16(bytes, 8);
#endif
#endif
}

/* Subtracts a byte from each byte of words, which are below 128, like it. */
static inline vector_u32 less(vector_u32 words, uint32_t byte) {
    vector_u32 high = {0};
    high += 0x80808080;
    return ((words | high) - byte * 0x01010101) ^ high;
}

/* Stores a scale of each byte of a word, from scale first on. */
INLINE void store_scales(struct decoded *to, uint32_t first, uint32_t row, vector_u32 word) {
#pragma clang loop unroll(full)
    for (uint32_t byte = 0; byte < 4; byte++)
        store_u32(to->scales[first + byte] + row, scale_of_byte(word, byte));
}

/* Stores the minima of two parts, which are bytes of each word. */
INLINE void store_minima(struct decoded *to, uint32_t two, uint32_t row, vector_u32 word,
                         const uint32_t first, const uint32_t second) {
    vector_u32 low = word >> 8 * first & 0xFF, high = word >> 8 * second & 0xFF;
    store_u32(to->minima[two] + row, low | high << 16);
}

/* Of 32 columns each, with 6 bits: Q4_K and Q5_K. */
INLINE void decode_scales_and_minima(struct decoded *to, const uint8_t *at, uint32_t stride,
                                     uint32_t row) {
    vector_u32 w0 = load_u32(at), w1 = load_u32(at + stride), w2 = load_u32(at + 2 * stride);
    store_scales(to, 0, row, w0 & 0x3F3F3F3F);
    store_scales(to, 4, row, (w2 & 0x0F0F0F0F) | (w0 >> 2 & 0x30303030));
    vector_u32 minima[2] = {w1 & 0x3F3F3F3F, (w2 >> 4 & 0x0F0F0F0F) | (w1 >> 2 & 0x30303030)};
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < 8; i++)
        store_minima(to, i, row, minima[i / 4], i % 4, i % 4);
}

/* Of 16 columns each: the i-th word of Q2_K, Q3_K or Q6_K. */
INLINE void decode_scales_of_parts(struct decoded *to, const uint8_t *at, uint32_t stride,
                                   uint32_t row, uint32_t i, enum part_scales scales) {
    if (scales == SCALES_SIX) {
        vector_u32 low = load_u32(at + i % 2 * stride) >> i / 2 * 4 & 0x0F0F0F0F;
        vector_u32 high = load_u32(at + 2 * stride) >> 2 * i & 0x03030303;
        store_scales(to, 4 * i, row, less(low | high << 4, 32));
        return;
    }
    vector_u32 word = load_u32(at + i * stride);
    if (scales == SCALES_NIBBLES) {
        store_minima(to, 2 * i, row, word >> 4 & 0x0F0F0F0F, 0, 1);
        store_minima(to, 2 * i + 1, row, word >> 4 & 0x0F0F0F0F, 2, 3);
        word &= 0x0F0F0F0F;
    }
    store_scales(to, 4 * i, row, word);
}

/* The scales of 32 columns each, of IQ4_XS. */
SMALL static void decode_factors(struct decoded *to, const uint8_t *words, const uint8_t *halves,
                                 uint32_t rows) {
#pragma clang loop unroll(disable)
    for (uint32_t row = 0; row < rows; row++) {
        uint32_t low, high = 0;
        memcpy(&low, words + row * 4, sizeof low);
        memcpy(&high, halves + (rows + row) * 2, 2);
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t i = 0; i < 8; i++)
            to->factors[i][row] =
                (float)((int)((low >> 4 * i & 15) | (high >> 2 * i & 3) << 4) - 32);
    }
}

/* ---- Blocks ---- */

/* Decodes the integer scales of a block of so many rows of a panel. */
ONCE_A_BLOCK APART void decode_block_scales(struct decoded *to, const uint8_t *block, uint32_t rows,
                                            const struct weight_type *type) {
    const uint32_t stride = rows * 4;
    if (VECTOR_LANES == 16)
        touch_lines(block, 10); /* the halves, and the words of scales */
    if (type->scales == SCALES_OF_HALF) {
        decode_factors(to, block + weight_first_word(type, rows), block, rows);
        return;
    }
    const uint8_t *words = block + weight_first_word(type, rows) + type->scale_word * stride;
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t row = 0; row < rows; row += VECTOR_LANES) {
        const uint8_t *at = words + row * 4;
        if (type->scales == SCALES_SIX_MIN) {
            decode_scales_and_minima(to, at, stride, row);
            continue;
        }
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t i = 0; i < 4; i++)
            decode_scales_of_parts(to, at, stride, row, i, type->scales);
    }
}

/* The integers of a block, whose columns become first_part and following ones. */
ONCE_A_BLOCK APART void decode_block_words(struct decoded *to, uint32_t first_part,
                                           const uint8_t *block, const struct layout *l,
                                           const struct weight_type *type) {
    uint32_t parts = type->columns / WEIGHT_PART, share = l->stride / 4 * type->bytes / parts;
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t part = 0; part < parts; part++) {
        if (VECTOR_LANES == 8)
            prefetch_lines(block + part * share, 6); /* that is what a part has at most */
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
