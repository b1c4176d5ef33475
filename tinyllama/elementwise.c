/*
 * Work on vectors of activations that is proportional to their length, and so not worth a version
 * for each vector width.
 */
#include "elementwise.h"
#include "vector_exp.h"
#include "vector_sum.h"

#define LOG2_E 0x1.715476p+0f

/* ---- Quantisation ---- */

static float largest_magnitude(const float *x, uint32_t size) {
    uint32_t most = 0; /* without their sign, floats compare as integers do */
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

/* Four quotients rounded as roundf does. What does not fit, or is no number, is cut to -127 or 127:
 * a scale that is a denormal number is inexact, and a damaged model may hold anything. */
static void round_quotients(int32_t rounded[MATRIX_CHUNK], const float x[MATRIX_CHUNK],
                            float divisor) {
    /* With the sign of x, the float below 1/2: 1/2 itself would carry what is just below a half
     * over it. */
    __m128i half = _mm_or_si128(
        _mm_and_si128(_mm_loadu_si128((const __m128i_u *)x), _mm_set1_epi32(INT32_MIN)),
        (__m128i)_mm_set1_ps(0x1.fffffep-2f));
    f32x4 quotient = (f32x4)_mm_loadu_ps(x) / (f32x4)_mm_set1_ps(divisor);
    __m128i integers = _mm_cvttps_epi32((__m128)(quotient + (f32x4)half));
    memcpy(rounded, &integers, sizeof integers);
    for (uint32_t i = 0; i < MATRIX_CHUNK; i++)
        rounded[i] = rounded[i] > 127 ? 127 : rounded[i] < -127 ? -127 : rounded[i];
}

static struct chunk make_chunk(const int32_t x[MATRIX_CHUNK]) {
    return (struct chunk){
        .even = (int32_t)((uint16_t)x[0] | (uint32_t)(uint16_t)x[2] << 16),
        .odd = (int32_t)((uint16_t)x[1] | (uint32_t)(uint16_t)x[3] << 16),
        .all = (int32_t)((uint8_t)x[0] | (uint32_t)(uint8_t)x[1] << 8 |
                         (uint32_t)(uint8_t)x[2] << 16 | (uint32_t)(uint8_t)x[3] << 24),
    };
}

void quantize(struct quantized *out, const float *x, uint32_t columns, uint32_t group) {
    struct chunk *chunk = out->chunks;
    for (uint32_t first = 0, index = 0; first < columns; first += group, index++) {
        float scale = largest_magnitude(x + first, group) / 127.0f;
        float divisor = scale > 0.0f ? scale : 1.0f;
        int32_t total = 0;
        for (uint32_t i = 0; i < group; i += MATRIX_CHUNK, chunk++) {
            float part[MATRIX_CHUNK] = {0};
            int32_t rounded[MATRIX_CHUNK];
            for (uint32_t j = 0; j < MATRIX_CHUNK && i + j < group; j++)
                part[j] = x[first + i + j];
            round_quotients(rounded, part, divisor);
            *chunk = make_chunk(rounded);
            total += rounded[0] + rounded[1] + rounded[2] + rounded[3];
        }
        out->scales[index] = scale;
        out->start[index] = -128 * total;
    }
}

/* ---- Logits ---- */

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
