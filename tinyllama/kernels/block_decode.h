/*
 * GGUF's blocks (weight_types.h) of a panel of rows (matrix.h) as what block_product.h multiplies:
 * bytes, integer scales, float scales. A panel's blocks are decoded once for all positions, to
 * memory that stays in the first-level cache.
 */
#pragma once
#include "matrix.h"
#include "vector.h"
#include "weight_types.h"

#define DECODED_COLUMNS 256u /* at most at once */
#define DECODED_PARTS (DECODED_COLUMNS / WEIGHT_PART)
#define PART_WORDS (WEIGHT_PART / MATRIX_CHUNK)
#define PREFETCH_BYTES 6144 /* measured: 4 to 8 KB */

/* Each array has MATRIX_TYPED_PANEL rows side by side. */
struct decoded {
    _Alignas(64) uint32_t words[DECODED_PARTS * PART_WORDS][MATRIX_TYPED_PANEL]; /* of 4 columns */
    uint32_t scales[DECODED_PARTS][MATRIX_TYPED_PANEL];     /* int16 twice; AVX-512: int32 */
    uint32_t minima[DECODED_PARTS / 2][MATRIX_TYPED_PANEL]; /* int16 of two parts */
    float scale[DECODED_PARTS / 2][MATRIX_TYPED_PANEL]; /* of each 32 columns, or of the block */
    float min_scale[DECODED_PARTS / 2][MATRIX_TYPED_PANEL];
};

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

static inline bits in_all_rows(uint32_t value) {
#if VECTOR_LANES == 4
    return value * UINT64_C(0x100000001);
#else
    return (bits){0} + value;
#endif
}
static inline bits load_bits(const void *from) {
    return *(const bits_memory *)from;
}
static inline void store_bits(void *to, bits value) {
    *(bits_memory *)to = value;
}

/* Where a plane has the bits of a part: in 4 words from the first on, so far to the left. */
struct plane_part {
    const uint8_t *words;
    uint32_t shift;
};
static inline struct plane_part find_part(const uint8_t *words, uint32_t stride,
                                          struct bit_plane plane, uint32_t part) {
    uint32_t run = part / 2, half = part % 2, runs = plane.order == IN_RUNS ? 8u / plane.bits : 1;
    uint32_t word = half * PART_WORDS, index = 0; /* index: of the bits in a byte */
    switch (plane.order) {
    case IN_BLOCK:
        word = run * PART_WORDS;
        index = half;
        break;
    case IN_RUNS:
        word += run / runs * 8;
        index = run % runs;
        break;
    case IN_PAIRS:
        word += part / 8 * 16 + run % 2 * 8;
        index = run / 2 % 2;
        break;
    case IN_ONE_WORD:
        return (struct plane_part){words + plane.first * stride, half * WEIGHT_PART};
    }
    return (struct plane_part){words + (plane.first + word) * stride, index * plane.bits};
}

static inline bits byte_mask(uint32_t size) {
    return in_all_rows(0x01010101u * ((1u << size) - 1));
}

/* The integers of a part of the blocks of so many rows: 4 words. */
static void decode_part(uint32_t (*to)[MATRIX_TYPED_PANEL], const uint8_t *words, uint32_t rows,
                        const struct weight_type *type, uint32_t part) {
    const uint32_t stride = rows * 4, above = type->low.bits;
    struct plane_part low = find_part(words, stride, type->low, part);
    bits low_mask = byte_mask(type->low.bits);
    if (type->high.bits == 0) {
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t k = 0; k < PART_WORDS; k++, low.words += stride)
#pragma clang loop vectorize(disable) unroll(disable)
            for (uint32_t row = 0; row < rows; row += BITS_ROWS)
                store_bits(to[k] + row, load_bits(low.words + row * 4) >> low.shift & low_mask);
        return;
    }
    struct plane_part high = find_part(words, stride, type->high, part);
    bits high_mask = byte_mask(type->high.bits);
    const bool in_one_word = type->high.order == IN_ONE_WORD;
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t k = 0; k < PART_WORDS; k++, low.words += stride) {
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t row = 0; row < rows; row += BITS_ROWS) {
            bits more = load_bits(high.words + row * 4) >> high.shift;
            if (in_one_word) /* 4 bits, to 4 bytes */
                more = (more & in_all_rows(15)) * 0x00204081u;
            bits value = load_bits(low.words + row * 4) >> low.shift & low_mask;
            store_bits(to[k] + row, value | (more & high_mask) << above);
        }
        if (in_one_word)
            high.shift += 4;
        else
            high.words += stride;
    }
}

/* Replaces what two parts have, which is below 16, by the table's numbers. */
static inline void look_up(uint32_t (*words)[MATRIX_TYPED_PANEL], uint32_t rows) {
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t k = 0; k < 2 * PART_WORDS; k++)
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

static inline vector_u32 load_u32(const void *from) {
    return (vector_u32)load(from);
}
static inline void store_u32(void *to, vector_u32 v) {
    store(to, (vector)v);
}

/* binary16 of as many rows as there are lanes. */
static inline vector load_halves(const void *from) {
#if VECTOR_LANES == 16
    return (vector)_mm512_cvtph_ps(_mm256_loadu_si256(from));
#elif VECTOR_LANES == 8
    return (vector)_mm256_cvtph_ps(_mm_loadu_si128(from));
#else
    /* As float_of_half (weight_types.c). */
    vector_u32 half = (vector_u32)_mm_unpacklo_epi16(_mm_loadl_epi64(from), _mm_setzero_si128());
    vector_u32 magnitude = (half & 0x7FFF) << 13;
    vector_u32 special = (vector_u32)((vector_i32)magnitude > 0x0F7FFFFF);
    vector_u32 number = (vector_u32)((vector)magnitude * splat(0x1p112f));
    return (vector)(number | (special & (magnitude | 0x7F800000)) | (half & 0x8000) << 16);
#endif
}

/* The same for bfloat16. */
static inline vector load_brain_halves(const void *from) {
#if VECTOR_LANES == 16
    __m512i v = _mm512_cvtepu16_epi32(_mm256_loadu_si256(from));
#elif VECTOR_LANES == 8
    __m256i v = _mm256_cvtepu16_epi32(_mm_loadu_si128(from));
#else
    __m128i v = _mm_unpacklo_epi16(_mm_loadl_epi64(from), _mm_setzero_si128());
#endif
    return (vector)((vector_u32)v << 16);
}

/* Sign-extended byte of each word, as multiplying by scales wants it. */
static inline vector_u32 scale_of_byte(vector_u32 words, const uint32_t byte) {
    vector_u32 number = (vector_u32)((vector_i32)(words << (24 - 8 * byte)) >> 24);
    return VECTOR_LANES == 16 ? number : (number & 0xFFFF) | number << 16;
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
static void decode_scales(struct decoded *to, const uint8_t *words, uint32_t rows,
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
static void decode_scales_of_half(struct decoded *to, const uint8_t *words, const uint8_t *halves,
                                  uint32_t rows) {
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

/* Asks for what comes after the bytes that are decoded now. */
static inline void prefetch(const uint8_t *from, uint32_t bytes) {
    for (uint32_t i = 0; VECTOR_LANES > 4 && i < bytes; i += 64)
        _mm_prefetch((const char *)from + i + PREFETCH_BYTES, _MM_HINT_T0);
}

/* Decodes the blocks of so many rows of a panel, whose columns become part and following ones. */
APART void decode_block(struct decoded *to, uint32_t part, const uint8_t *block, uint32_t rows,
                        const struct weight_type *type) {
    uint32_t parts = type->columns / WEIGHT_PART, halves_at = type->bytes - 2 * type->halves;
    uint32_t part_bytes = type->bytes * rows / parts;
    const uint8_t *halves = block + halves_at * rows;
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
    if (type->low.bits == 8)
        return; /* multiplied where they are */
#pragma clang loop unroll(disable)
    for (uint32_t i = 0; i < parts; i++) {
        uint32_t (*words)[MATRIX_TYPED_PANEL] = to->words + (part + i) * PART_WORDS;
        prefetch(block + i * part_bytes, part_bytes);
        decode_part(words, block, rows, type, i);
    }
    if (type->table)
        for (uint32_t i = 0; i < parts; i += 2)
            look_up(to->words + (part + i) * PART_WORDS, rows);
}
