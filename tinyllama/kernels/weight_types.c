/* The layouts of GGUF's blocks. Bytes and bits are named as in the format's reference, ggml. */
#include "weight_types.h"
#include <string.h>

static inline uint32_t read_16(const uint8_t *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8;
}
static inline float read_half(const uint8_t *bytes) {
    return float_of_half((uint16_t)read_16(bytes));
}

/* ---- float types ---- */

static void convert_f16(float *out, const uint8_t *row, uint32_t columns) {
    for (uint32_t i = 0; i < columns; i++)
        out[i] = read_half(row + 2 * (size_t)i);
}
static void convert_bf16(float *out, const uint8_t *row, uint32_t columns) {
    for (uint32_t i = 0; i < columns; i++) {
        uint32_t bits = read_16(row + 2 * (size_t)i) << 16;
        memcpy(out + i, &bits, sizeof bits);
    }
}

/* ---- Blocks of 32 columns ---- */

/* What is in front of a block's integers: the scale, and a minimum, which GGUF adds. */
static void set_scales(const struct unpacked *out, uint32_t block, float scale, float minimum) {
    out->scales[block] = scale;
    out->min_scales[block] = -minimum;
    out->mins[2 * block] = out->mins[2 * block + 1] = 1;
}

static void unpack_q8_0(const struct unpacked *out, const uint8_t *row, uint32_t blocks) {
    for (uint32_t b = 0; b < blocks; b++, row += 34) {
        int16_t *w = out->weights + b * 32;
        set_scales(out, b, read_half(row), 0.0f);
        for (int j = 0; j < 32; j++)
            w[j] = (int8_t)row[2 + j];
    }
}

/* 16 bytes: columns 0 to 15 in the low halves, 16 to 31 in the high ones. */
static inline void unpack_nibbles(int16_t *w, const uint8_t *qs, int offset) {
    for (int j = 0; j < 16; j++) {
        w[j] = (int16_t)((qs[j] & 15) - offset);
        w[j + 16] = (int16_t)((qs[j] >> 4) - offset);
    }
}

static void unpack_q4_0(const struct unpacked *out, const uint8_t *row, uint32_t blocks) {
    for (uint32_t b = 0; b < blocks; b++, row += 18) {
        set_scales(out, b, read_half(row), 0.0f);
        unpack_nibbles(out->weights + b * 32, row + 2, 8);
    }
}
static void unpack_q4_1(const struct unpacked *out, const uint8_t *row, uint32_t blocks) {
    for (uint32_t b = 0; b < blocks; b++, row += 20) {
        set_scales(out, b, read_half(row), read_half(row + 2));
        unpack_nibbles(out->weights + b * 32, row + 4, 0);
    }
}

/* The fifth bits of 32 columns. */
static inline void add_fifth_bits(int16_t *w, const uint8_t *qh) {
    uint32_t bits = read_16(qh) | read_16(qh + 2) << 16;
    for (int j = 0; j < 32; j++)
        w[j] = (int16_t)(w[j] + (int)(bits >> j & 1) * 16);
}

static void unpack_q5_0(const struct unpacked *out, const uint8_t *row, uint32_t blocks) {
    for (uint32_t b = 0; b < blocks; b++, row += 22) {
        set_scales(out, b, read_half(row), 0.0f);
        unpack_nibbles(out->weights + b * 32, row + 6, 16);
        add_fifth_bits(out->weights + b * 32, row + 2);
    }
}
static void unpack_q5_1(const struct unpacked *out, const uint8_t *row, uint32_t blocks) {
    for (uint32_t b = 0; b < blocks; b++, row += 24) {
        set_scales(out, b, read_half(row), read_half(row + 2));
        unpack_nibbles(out->weights + b * 32, row + 8, 0);
        add_fifth_bits(out->weights + b * 32, row + 4);
    }
}

static const int8_t iq4_values[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                      1,    13,   25,  38,  53,  69,  89,  113};

static inline void unpack_iq4(int16_t *w, const uint8_t *qs, int scale) {
    for (int j = 0; j < 16; j++) {
        w[j] = (int16_t)(scale * iq4_values[qs[j] & 15]);
        w[j + 16] = (int16_t)(scale * iq4_values[qs[j] >> 4]);
    }
}

static void unpack_iq4_nl(const struct unpacked *out, const uint8_t *row, uint32_t blocks) {
    for (uint32_t b = 0; b < blocks; b++, row += 18) {
        set_scales(out, b, read_half(row), 0.0f);
        unpack_iq4(out->weights + b * 32, row + 2, 1);
    }
}

/* ---- Blocks of 256 columns ---- */

/* The scales of a K type's block; mins are set where the type has some. */
static void set_k_scales(const struct unpacked *out, uint32_t block, float scale, float minimum) {
    out->scales[block] = scale;
    out->min_scales[block] = minimum;
    if (minimum == 0.0f)
        memset(out->mins + block * 16, 0, 16 * sizeof *out->mins);
}

static void unpack_iq4_xs(const struct unpacked *out, const uint8_t *row, uint32_t blocks) {
    for (uint32_t b = 0; b < blocks; b++, row += 136) {
        uint32_t high = read_16(row + 2);
        set_k_scales(out, b, read_half(row), 0.0f);
        for (uint32_t s = 0; s < 8; s++) {
            int low = row[4 + s / 2] >> 4 * (s % 2) & 15;
            int scale = low | (int)(high >> 2 * s & 3) << 4;
            unpack_iq4(out->weights + b * 256 + s * 32, row + 8 + s * 16, scale - 32);
        }
    }
}

static void unpack_q2_k(const struct unpacked *out, const uint8_t *row, uint32_t blocks) {
    for (uint32_t b = 0; b < blocks; b++, row += 84) {
        const uint8_t *scales = row, *qs = row + 16;
        set_k_scales(out, b, read_half(row + 80), read_half(row + 82));
        for (uint32_t s = 0; s < 16; s++) {
            const uint8_t *q = qs + s / 8 * 32 + s % 2 * 16;
            int16_t *w = out->weights + b * 256 + s * 16;
            int scale = scales[s] & 15, shift = (int)(s / 2 % 4 * 2);
            for (int j = 0; j < 16; j++)
                w[j] = (int16_t)(scale * (q[j] >> shift & 3));
            out->mins[b * 16 + s] = scales[s] >> 4;
        }
    }
}

static void unpack_q3_k(const struct unpacked *out, const uint8_t *row, uint32_t blocks) {
    for (uint32_t b = 0; b < blocks; b++, row += 110) {
        const uint8_t *hmask = row, *qs = row + 32, *scales = row + 96;
        set_k_scales(out, b, read_half(row + 108), 0.0f);
        for (uint32_t s = 0; s < 16; s++) {
            const uint8_t *q = qs + s / 8 * 32 + s % 2 * 16, *h = hmask + s % 2 * 16;
            int16_t *w = out->weights + b * 256 + s * 16;
            int low = s < 8 ? scales[s] & 15 : scales[s - 8] >> 4;
            int scale = (low | (scales[8 + s % 4] >> s / 4 * 2 & 3) << 4) - 32;
            int shift = (int)(s / 2 % 4 * 2), bit = (int)(s / 2);
            for (int j = 0; j < 16; j++)
                w[j] = (int16_t)(scale * ((q[j] >> shift & 3) + (h[j] >> bit & 1) * 4 - 4));
        }
    }
}

/* The 6-bit scale and minimum of sub-block s of Q4_K and Q5_K, which share 12 bytes. */
struct scale_and_min {
    int scale;
    int16_t min;
};
static inline struct scale_and_min six_bits(const uint8_t *scales, uint32_t s) {
    if (s < 4)
        return (struct scale_and_min){scales[s] & 63, scales[s + 4] & 63};
    return (struct scale_and_min){
        (scales[s + 4] & 15) | scales[s - 4] >> 6 << 4,
        (int16_t)(scales[s + 4] >> 4 | scales[s] >> 6 << 4),
    };
}

/* Q4_K; Q5_K has a fifth bit of each column in qh. */
static inline void unpack_k_nibbles(const struct unpacked *out, uint32_t block,
                                    const uint8_t *scales, const uint8_t *qs, const uint8_t *qh) {
    for (uint32_t s = 0; s < 8; s++) {
        struct scale_and_min factor = six_bits(scales, s);
        const uint8_t *q = qs + s / 2 * 32;
        int16_t *w = out->weights + block * 256 + s * 32;
        int shift = s % 2 * 4;
        for (int j = 0; j < 32; j++)
            w[j] =
                (int16_t)(factor.scale * ((q[j] >> shift & 15) + (qh ? (qh[j] >> s & 1) * 16 : 0)));
        out->mins[block * 16 + 2 * s] = out->mins[block * 16 + 2 * s + 1] = factor.min;
    }
}

static void unpack_q4_k(const struct unpacked *out, const uint8_t *row, uint32_t blocks) {
    for (uint32_t b = 0; b < blocks; b++, row += 144) {
        set_k_scales(out, b, read_half(row), read_half(row + 2));
        unpack_k_nibbles(out, b, row + 4, row + 16, NULL);
    }
}
static void unpack_q5_k(const struct unpacked *out, const uint8_t *row, uint32_t blocks) {
    for (uint32_t b = 0; b < blocks; b++, row += 176) {
        set_k_scales(out, b, read_half(row), read_half(row + 2));
        unpack_k_nibbles(out, b, row + 4, row + 48, row + 16);
    }
}

static void unpack_q6_k(const struct unpacked *out, const uint8_t *row, uint32_t blocks) {
    for (uint32_t b = 0; b < blocks; b++, row += 210) {
        set_k_scales(out, b, read_half(row + 208), 0.0f);
        for (uint32_t s = 0; s < 16; s++) {
            uint32_t half = s / 8, quarter = s / 2 % 4, first = s % 2 * 16;
            const uint8_t *ql = row + half * 64 + quarter % 2 * 32 + first;
            const uint8_t *qh = row + 128 + half * 32 + first;
            int16_t *w = out->weights + b * 256 + s * 16;
            uint8_t q[16]; /* bytes as long as possible: more of them fit into a vector */
            int scale = (int8_t)row[192 + s];
            int low_shift = (int)(quarter / 2 * 4), high_shift = (int)(quarter * 2);
            for (int j = 0; j < 16; j++)
                q[j] = (uint8_t)((ql[j] >> low_shift & 15) | (qh[j] >> high_shift & 3) << 4);
            for (int j = 0; j < 16; j++)
                w[j] = (int16_t)(scale * (q[j] - 32));
        }
    }
}

/* ---- All of them ---- */

static const struct weight_type types[] = {
    {"F32", 0, 1, 4, true, NULL, NULL},
    {"F16", 1, 1, 2, false, NULL, convert_f16},
    {"BF16", 30, 1, 2, false, NULL, convert_bf16},
    {"Q8_0", 8, 32, 34, false, unpack_q8_0, NULL},
    {"Q4_0", 2, 32, 18, false, unpack_q4_0, NULL},
    {"Q4_1", 3, 32, 20, false, unpack_q4_1, NULL},
    {"Q5_0", 6, 32, 22, false, unpack_q5_0, NULL},
    {"Q5_1", 7, 32, 24, false, unpack_q5_1, NULL},
    {"Q2_K", 10, 256, 84, false, unpack_q2_k, NULL},
    {"Q3_K", 11, 256, 110, false, unpack_q3_k, NULL},
    {"Q4_K", 12, 256, 144, false, unpack_q4_k, NULL},
    {"Q5_K", 13, 256, 176, false, unpack_q5_k, NULL},
    {"Q6_K", 14, 256, 210, false, unpack_q6_k, NULL},
    {"IQ4_NL", 20, 32, 18, false, unpack_iq4_nl, NULL},
    {"IQ4_XS", 23, 256, 136, false, unpack_iq4_xs, NULL},
};

const char weight_type_names[] =
    "F32 F16 BF16 Q8_0 Q4_0 Q4_1 Q5_0 Q5_1 Q2_K Q3_K Q4_K Q5_K Q6_K IQ4_NL IQ4_XS";

const struct weight_type *weight_type_find(uint32_t number) {
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].number == number)
            return &types[i];
    return NULL;
}

void weight_row_floats(const struct weight_type *type, const uint8_t *row, uint32_t columns,
                       float *out) {
    if (type->convert) {
        type->convert(out, row, columns);
        return;
    }
    int16_t weights[WEIGHT_MOST_COLUMNS], mins[WEIGHT_MOST_COLUMNS / WEIGHT_PART];
    float scale, min_scale;
    const struct unpacked block = {weights, mins, &scale, &min_scale};
    for (uint32_t first = 0; first < columns; first += type->columns, row += type->bytes) {
        type->unpack(&block, row, 1);
        for (uint32_t i = 0; i < type->columns; i++)
            out[first + i] = scale * (float)weights[i] - min_scale * (float)mins[i / WEIGHT_PART];
    }
}
