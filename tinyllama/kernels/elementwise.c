/* Operations on vectors that take time proportional to their length, with SSE2. */
#include "elementwise.h"
#include "kernels.h"
#include "tinyllama/natural.h"
#include "vector_exp.h"
#include "vector_sum.h"
#include "weight_types.h"

/* ---- Quantisation ---- */

/* The largest |x|; NaN if an element is NaN, whose bits are greater than those of infinity. */
static float largest_magnitude(const float *x, uint32_t size) {
    uint32_t most = 0; /* without the sign bit, floats compare as integers do */
    for (uint32_t i = 0; i < size; i++) {
        uint32_t bits;
        memcpy(&bits, x + i, sizeof bits);
        bits &= 0x7FFFFFFF;
        if (bits > most)
            most = bits;
    }
    float magnitude;
    memcpy(&magnitude, &most, sizeof magnitude);
    return magnitude;
}

bool any_nan(const float *x, uint32_t size) {
    float magnitude = largest_magnitude(x, size);
    return magnitude != magnitude;
}

/* x / divisor of four elements, rounded as roundf does, as int16 in both halves of the register.
 * Quotients are limited to -127 and 127: a denormal scale is inexact, and a damaged model may hold
 * any number. */
static inline __m128i round_quotients(const float x[MATRIX_CHUNK], float divisor) {
    /* The largest float below 1/2, with the sign of x: adding 1/2 itself would round a quotient
     * just below a half up. */
    __m128i half = _mm_or_si128(
        _mm_and_si128(_mm_loadu_si128((const __m128i_u *)x), _mm_set1_epi32(INT32_MIN)),
        (__m128i)_mm_set1_ps(0x1.fffffep-2f));
    f32x4 quotient = (f32x4)_mm_loadu_ps(x) / (f32x4)_mm_set1_ps(divisor);
    __m128i integers = _mm_cvttps_epi32((__m128)(quotient + (f32x4)half));
    __m128i rounded = _mm_packs_epi32(integers, integers);
    return _mm_max_epi16(_mm_min_epi16(rounded, _mm_set1_epi16(127)), _mm_set1_epi16(-127));
}

static inline struct chunk make_chunk(__m128i rounded) {
    uint64_t x = low_half(rounded);
    return (struct chunk){
        .even = (int32_t)((x & 0xFFFF) | (x >> 16 & 0xFFFF0000)),
        .odd = (int32_t)((x >> 16 & 0xFFFF) | (x >> 32 & 0xFFFF0000)),
        .all = _mm_cvtsi128_si32(_mm_packs_epi16(rounded, rounded)),
    };
}

void quantize(struct quantized *out, const float *x, uint32_t columns, uint32_t group) {
    struct chunk *chunk = out->chunks;
    for (uint32_t first = 0, index = 0; first < columns; first += group, index++) {
        float scale = largest_magnitude(x + first, group) / 127.0f;
        float divisor = scale > 0.0f ? scale : 1.0f;
        __m128i totals = _mm_setzero_si128(); /* of columns 0 and 1, and 2 and 3, of all chunks */
        for (uint32_t i = 0; i < group; i += MATRIX_CHUNK, chunk++) {
            const float *from = x + first + i;
            float last[MATRIX_CHUNK] = {0};
            if (group - i < MATRIX_CHUNK) {
                memcpy(last, from, (group - i) * sizeof(float));
                from = last;
            }
            __m128i rounded = round_quotients(from, divisor);
            *chunk = make_chunk(rounded);
            totals = _mm_add_epi32(totals, _mm_madd_epi16(rounded, _mm_set1_epi16(1)));
        }
        uint64_t both = low_half(totals);
        out->scales[index] = scale;
        out->start[index] = -128 * ((int32_t)both + (int32_t)(both >> 32));
    }
}

/* A number of at most 2^22 plus this is rounded to a whole one, in the low bits. */
#define ROUNDING 0x1.8p23f

/* x * factor, limited to -127 and 127, plus ROUNDING; NaN becomes -127. */
static inline vector round_products(const float *x, vector factor) {
    vector product = larger(load(x) * factor, splat(-127.0f));
    return smaller(product, splat(127.0f)) + splat(ROUNDING);
}

/* The sum of the squares of what rounding to multiples of scale = 1 / factor changes. */
static float rounding_error(const float *x, uint32_t size, float factor, float scale) {
    vector squares = {0};
    for (uint32_t i = 0; i < size; i += VECTOR_LANES) {
        vector whole = round_products(x + i, splat(factor)) - splat(ROUNDING);
        vector error = load(x + i) - whole * splat(scale);
        squares += error * error;
    }
    return (squares[0] + squares[1]) + (squares[2] + squares[3]);
}

/* How the largest element of a block may be rounded: the scale is that of them with the smallest
 * error. Four take a tenth off the error of one. */
static const float most_of_block[] = {127.0f, 126.0f, 125.0f, 124.0f};

/* Stores a part's integers, in all forms. */
static void store_part(const struct rounded *out, size_t part, const vector_i32 rounded[4]) {
    __m128i low = _mm_packs_epi32((__m128i)rounded[0], (__m128i)rounded[1]);
    __m128i high = _mm_packs_epi32((__m128i)rounded[2], (__m128i)rounded[3]);
    __m128i all = _mm_packs_epi16(low, high);
    __m128i even = _mm_srai_epi16(_mm_slli_epi16(all, 8), 8), odd = _mm_srai_epi16(all, 8);
    _mm_storeu_si128((__m128i_u *)(out->all + part * 4), all);
    _mm_storeu_si128((__m128i_u *)(out->even + part * 4), even);
    _mm_storeu_si128((__m128i_u *)(out->odd + part * 4), odd);
    __m128i pairs = _mm_add_epi16(even, odd); /* of 4 chunks */
    pairs = _mm_add_epi16(pairs, _mm_unpackhi_epi64(pairs, pairs));
    pairs = _mm_add_epi16(pairs, _mm_srli_epi64(pairs, 32));
    out->pairs[part] = _mm_cvtsi128_si32(pairs);
    out->sums[part] = (int16_t)(out->pairs[part] + (out->pairs[part] >> 16));
}

void round_blocks(const struct rounded *out, const float *x, uint32_t columns, uint32_t group) {
    size_t part = 0;
    for (uint32_t first = 0, index = 0; first < columns; first += group, index++, x += group) {
        float magnitude = largest_magnitude(x, group), factor = 0.0f, least = 0.0f;
        for (size_t i = 0; i < sizeof most_of_block / sizeof *most_of_block; i++) {
            float scale = magnitude / most_of_block[i];
            float inverse = magnitude > 0.0f ? most_of_block[i] / magnitude : 0.0f;
            float error = rounding_error(x, group, inverse, scale);
            if (i == 0 || error < least) {
                least = error;
                factor = inverse;
                out->scales[index] = scale;
            }
        }
        for (uint32_t i = 0; i < group; i += WEIGHT_PART) {
            vector_i32 rounded[4];
            for (uint32_t j = 0; j < 4; j++)
                rounded[j] = (vector_i32)round_products(x + i + 4 * j, splat(factor)) -
                             (vector_i32)splat(ROUNDING);
            store_part(out, part++, rounded);
        }
    }
}

__attribute__((noinline)) void round_all(const struct rounded *out, const float *x,
                                         uint32_t x_stride, uint32_t count, uint32_t columns,
                                         uint32_t group) {
    for (uint32_t i = 0; i < count; i++) {
        size_t parts = (size_t)i * (columns / WEIGHT_PART);
        struct rounded to = rounded_behind(out, parts * (WEIGHT_PART / MATRIX_CHUNK), parts,
                                           (size_t)i * (columns / group));
        round_blocks(&to, x + (size_t)i * x_stride, columns, group);
    }
}

/* ---- Logits ---- */

void cap(float *x, uint32_t size, float limit) {
    vector factor = splat(2.0f * LOG2_E / limit), one = splat(1.0f);
    for (uint32_t i = 0; i < matrix_padded(size); i += VECTOR_LANES) {
        vector v = load(x + i);
        vector_i32 sign = (vector_i32)v & INT32_MIN;
        vector power = exp2_minus((vector)((vector_i32)v & INT32_MAX) * factor);
        vector tanh = (one - power) / (one + power); /* of the magnitude */
        store(x + i, splat(limit) * (vector)((vector_i32)tanh | sign));
    }
}

uint32_t argmax(float *x, uint32_t size) {
    float most = largest(x, pad(x, size, -INFINITY));
    for (uint32_t i = 0; i < size; i++)
        if (x[i] == most)
            return i;
    return 0;
}

void softmax(float *x, uint32_t size, float temperature) {
    uint32_t padded = pad(x, size, -INFINITY);
    vector most = splat(largest(x, padded)), factor = splat(LOG2_E / temperature);
    for (uint32_t i = 0; i < padded; i += VECTOR_LANES)
        store(x + i, exp2_minus((most - load(x + i)) * factor));
    pad(x, size, 0.0f);
    vector total = splat(sum(x, padded));
    for (uint32_t i = 0; i < padded; i += VECTOR_LANES)
        store(x + i, load(x + i) / total);
}

double log_sum_exp(const float *x, uint32_t size) {
    float most = x[0];
    for (uint32_t i = 1; i < size; i++)
        most = x[i] > most ? x[i] : most;
    double total = 0.0;
    for (uint32_t i = 0; i < size; i += VECTOR_LANES) {
        float part[VECTOR_LANES];
        for (uint32_t j = 0; j < VECTOR_LANES; j++)
            part[j] = i + j < size ? x[i + j] : -INFINITY;
        vector power = exp2_minus((splat(most) - load(part)) * splat(LOG2_E));
        for (uint32_t j = 0; j < VECTOR_LANES && i + j < size; j++)
            total += (double)power[j];
    }
    return (double)most + logarithm(total);
}
