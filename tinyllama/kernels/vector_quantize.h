/* Activations as integers of 8 bits: quantized.h. */
#pragma once
#include "matrix.h"
#include "tinyllama/formats/quantized.h"
#include "vector_sum.h"
#include "weight_types.h"

/* x from the column on, for a vector; behind the end of a group zeros. room has as many floats. */
static inline const float *padded_floats(float *room, const float *x, uint32_t left) {
    if (left >= VECTOR_LANES)
        return x;
    memset(room, 0, sizeof(vector));
    memcpy(room, x, left * sizeof *x);
    return room;
}

/* The larger of each pair of lanes. */
INLINE vector_i32 larger_integers(vector_i32 a, vector_i32 b) {
#if VECTOR_LANES == 16
    return (vector_i32)_mm512_max_epi32((__m512i)a, (__m512i)b);
#elif VECTOR_LANES == 8
    return (vector_i32)_mm256_max_epi32((__m256i)a, (__m256i)b);
#else
    vector_i32 larger_a = a > b;
    return (a & larger_a) | (b & ~larger_a);
#endif
}

/* The largest |x|; NaN if an element is NaN, whose bits are greater than those of infinity. */
ONCE_A_BLOCK APART float largest_magnitude(const float *x, uint32_t size) {
    float room[VECTOR_LANES];
    vector_i32 most = {0}; /* without the sign bit, floats compare as integers do */
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 0; i < size; i += VECTOR_LANES) {
        vector numbers = load(padded_floats(room, x + i, size - i));
        most = larger_integers((vector_i32)numbers & INT32_MAX, most);
    }
    int32_t lanes[VECTOR_LANES];
    memcpy(lanes, &most, sizeof lanes);
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 1; i < VECTOR_LANES; i++)
        lanes[0] = lanes[i] > lanes[0] ? lanes[i] : lanes[0];
    float magnitude;
    memcpy(&magnitude, lanes, sizeof magnitude);
    return magnitude;
}

/* Integers as bytes from -127 to 127: 4 chunks. */
static inline __m128i bytes_of(const vector_i32 integers[SUM_VECTORS]) {
#if VECTOR_LANES == 16
    __m128i bytes = _mm512_cvtsepi32_epi8((__m512i)integers[0]);
    return _mm_max_epi8(bytes, _mm_set1_epi8(-127));
#elif VECTOR_LANES == 8
    __m256i words = _mm256_packs_epi32((__m256i)integers[0], (__m256i)integers[1]);
    words = _mm256_permute4x64_epi64(words, 0xD8); /* packs works on halves of a register */
    __m128i bytes =
        _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    return _mm_max_epi8(bytes, _mm_set1_epi8(-127));
#else
    __m128i low = _mm_packs_epi32((__m128i)integers[0], (__m128i)integers[1]);
    __m128i high = _mm_packs_epi32((__m128i)integers[2], (__m128i)integers[3]);
    return _mm_packs_epi16(_mm_max_epi16(low, _mm_set1_epi16(-127)),
                           _mm_max_epi16(high, _mm_set1_epi16(-127)));
#endif
}

/* v without its fractions; INT32_MIN for what does not fit, and for NaN. */
INLINE vector_i32 truncated(vector v) {
#if VECTOR_LANES == 16
    return (vector_i32)_mm512_cvttps_epi32((__m512)v);
#elif VECTOR_LANES == 8
    return (vector_i32)_mm256_cvttps_epi32((__m256)v);
#else
    return (vector_i32)_mm_cvttps_epi32((__m128)v);
#endif
}

static inline void store_128(void *to, __m128i v) {
#if VECTOR_LANES == 4
    __m128 halves = (__m128)v; /* two stores, for QEMU's emulation (vector.h) */
    _mm_storel_pi(to, halves);
    OPAQUE(halves);
    _mm_storeh_pi((__m64 *)to + 1, halves);
#else
    _mm_storeu_si128(to, v);
#endif
}

/* Stores 4 chunks in all forms. Returns their sums of columns: of the first two of each chunk, and
 * of the last two, as int16. */
SMALL APART int32_t store_chunks(const struct chunks *to, size_t chunk,
                                 const vector_i32 integers[SUM_VECTORS]) {
    __m128i all = bytes_of(integers);
    __m128i even = _mm_srai_epi16(_mm_slli_epi16(all, 8), 8), odd = _mm_srai_epi16(all, 8);
    store_128(to->all + chunk, all);
    store_128(to->even + chunk, even);
    store_128(to->odd + chunk, odd);
    __m128i pairs = _mm_add_epi16(even, odd);
    pairs = _mm_add_epi16(pairs, _mm_unpackhi_epi64(pairs, pairs));
    pairs = _mm_add_epi16(pairs, _mm_srli_epi64(pairs, 32));
    return _mm_cvtsi128_si32(pairs);
}

/* x / divisor rounded as roundf does; bytes_of limits it: a denormal scale is inexact, and a
 * damaged model may hold any number. */
INLINE vector_i32 round_quotients(vector x, vector divisor) {
    /* The largest float below 1/2, with the sign of x: adding 1/2 itself would round a quotient
     * just below a half up. */
    vector half = (vector)(((vector_i32)x & INT32_MIN) | (vector_i32)splat(0x1.fffffep-2f));
    return truncated(x / divisor + half);
}

SMALL static void quantize(const struct quantized *out, const float *x, uint32_t columns,
                           uint32_t group) {
    size_t chunk = 0;
    for (uint32_t first = 0, index = 0; first < columns; first += group, index++, x += group) {
        float scale = largest_magnitude(x, group) / 127.0f;
        vector divisor = splat(scale > 0.0f ? scale : 1.0f);
        int32_t total = 0;
        for (uint32_t i = 0; i < group; i += WEIGHT_PART) {
            vector_i32 integers[SUM_VECTORS] = {0};
            for (uint32_t j = 0; j < SUM_VECTORS && i + j * VECTOR_LANES < group; j++) {
                float room[VECTOR_LANES];
                uint32_t at = i + j * VECTOR_LANES;
                integers[j] =
                    round_quotients(load(padded_floats(room, x + at, group - at)), divisor);
            }
            int32_t pairs = store_chunks(&out->chunks, chunk + i / MATRIX_CHUNK, integers);
            total += (int16_t)pairs + (pairs >> 16);
        }
        chunk += matrix_group_chunks(group);
        out->scales[index] = scale;
        out->start[index] = -128 * total;
    }
}

/* A number of at most 2^22 plus this is rounded to a whole one, in the low bits. */
#define ROUNDING 0x1.8p23f

/* x * factor, limited to -127 and 127, plus ROUNDING; NaN becomes -127. */
INLINE vector round_products(const float *x, vector factor) {
    vector product = larger(load(x) * factor, splat(-127.0f));
    return smaller(product, splat(127.0f)) + splat(ROUNDING);
}

/* The sum of the squares of what rounding to multiples of scale = 1 / factor changes. Without
 * limits: only if the scale is no normal number are they needed, and then this is no number. */
ONCE_A_BLOCK static float rounding_error(const float *x, uint32_t size, float factor, float scale) {
    vector squares[SUM_VECTORS] = {0};
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 0; i < size; i += SUM_LANES)
#pragma clang loop unroll(full)
        for (uint32_t j = 0; j < SUM_VECTORS; j++) {
            vector from = load(x + i + j * VECTOR_LANES);
            vector whole = from * splat(factor) + splat(ROUNDING) - splat(ROUNDING);
            vector error = from - whole * splat(scale);
            squares[j] += error * error;
        }
    return sum_lanes(squares);
}

ONCE_A_BLOCK static void round_blocks(const struct rounded *out, const float *x, uint32_t columns,
                                      uint32_t group) {
    /* How the largest element may be rounded: the scale is that of them with the smallest error.
     * Four take a tenth off the error of one. */
    static const float most_of_group[] = {127.0f, 126.0f, 125.0f, 124.0f};
    uint32_t groups = columns / group;
    /* Of all groups first: what follows would wait for its own group's. */
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t index = 0; index < groups; index++)
        out->scales[index] = largest_magnitude(x + index * group, group);
    size_t part = 0;
    for (uint32_t index = 0; index < groups; index++, x += group) {
        float magnitude = out->scales[index];
        float factor = 0.0f, best = 0.0f, least = INFINITY;
#pragma clang loop vectorize(disable) unroll(disable)
        for (size_t i = 0; i < sizeof most_of_group / sizeof *most_of_group; i++) {
            float scale = magnitude / most_of_group[i];
            float inverse = magnitude > 0.0f ? most_of_group[i] / magnitude : 0.0f;
            float error = rounding_error(x, group, inverse, scale);
            bool better = i == 0 || error < least; /* no branch: nobody can predict it */
            least = better ? error : least;
            factor = better ? inverse : factor;
            best = better ? scale : best;
        }
        out->scales[index] = best;
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t i = 0; i < group; i += WEIGHT_PART, part++) {
            vector_i32 integers[SUM_VECTORS];
#pragma clang loop unroll(full)
            for (uint32_t j = 0; j < SUM_VECTORS; j++)
                integers[j] = (vector_i32)round_products(x + i + j * VECTOR_LANES, splat(factor)) -
                              (vector_i32)splat(ROUNDING);
            int32_t pairs = store_chunks(&out->chunks, part * 4, integers);
            out->pairs[part] = pairs;
            out->sums[part] = (int16_t)(pairs + (pairs >> 16));
        }
    }
}
