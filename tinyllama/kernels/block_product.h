/*
 * Products with panels of GGUF's blocks (matrix.h, weight_types.h).
 *
 * A group is the columns that share a scale of the activations. Its two sums are exact integers:
 * weights by activations and minima by sums of activations; both are then added to the row's sum in
 * float32, group by group. So the order of a sum depends neither on the width nor on the tiles.
 */
#pragma once
#include "block_decode.h"
#include "tinyllama/formats/quantized.h"

/* Tiles: rows of one position, or fewer rows of several positions, whose sums fit into registers. */
#if VECTOR_LANES == 16
#define BLOCK_POSITIONS 8u
#define BLOCK_TILE_ROWS 16u
#elif VECTOR_LANES == 8
#define BLOCK_POSITIONS 4u
#define BLOCK_TILE_ROWS 8u
#else
#define BLOCK_POSITIONS 4u
#define BLOCK_TILE_ROWS 4u
#endif
#define BLOCK_ROWS 16u
#define BLOCK_SUMS 8u

/* The columns that are multiplied at once. */
struct block_step {
    const uint32_t *words;   /* of the first part */
    size_t word, group;      /* uint32s from one word, or group, to the next */
    uint32_t groups, parts;  /* groups, and parts of each */
    uint32_t scale, x_scale; /* the first group's of the weights is scale[0]; and then each so
                                   many groups another one */
    int32_t offset;
    bool minima;
    const struct decoded *decoded;
};

/* Of one position: where the step's activations begin, and how far the next position's are. */
struct block_x {
    struct rounded first;
    size_t chunks, parts, scales;
};

/* int16 products of pairs, added. */
static inline vector_i32 add_pairs(vector_i32 a, vector_i32 b) {
#if VECTOR_LANES == 16
    return (vector_i32)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif VECTOR_LANES == 8
    return (vector_i32)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#else
    return (vector_i32)_mm_madd_epi16((__m128i)a, (__m128i)b);
#endif
}

/*
 * Products of 4 columns with unsigned weights below 64: AVX-512 adds them to int32, the others to
 * pairs of int16, which hold a part: offset is at most half of what a weight may be, so 8 products
 * less offset are at most 8 * 32 * 127. Without the offset they may wrap, which is no harm.
 */
static inline vector_i32 begin_part(const struct block_x *x, size_t part, int32_t offset) {
#if VECTOR_LANES == 16
    return splat_i32(-offset * x->first.sums[part]);
#else
    return (vector_i32)((vector_i16)splat_i32(x->first.pairs[part]) * (int16_t)-offset);
#endif
}
static inline vector_i32 add_small(vector_i32 sum, vector_i32 w, const struct rounded *x,
                                   size_t chunk) {
#if VECTOR_LANES == 16
    return (vector_i32)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w,
                                           _mm512_set1_epi32(x->all[chunk]));
#elif VECTOR_LANES == 8
    __m256i products = _mm256_maddubs_epi16((__m256i)w, _mm256_set1_epi32(x->all[chunk]));
    return (vector_i32)((vector_i16)sum + (vector_i16)products);
#else
    vector_i16 even = (vector_i16)(w & 0x00FF00FF), odd = (vector_i16)((vector_u16)w >> 8);
    return (vector_i32)((vector_i16)sum + even * (vector_i16)splat_i32(x->even[chunk]) +
                        odd * (vector_i16)splat_i32(x->odd[chunk]));
#endif
}
/* total + scale * the sum of a part */
static inline vector_i32 add_part(vector_i32 total, vector_i32 sum, vector_i32 scale) {
#if VECTOR_LANES == 16
    return total + sum * scale;
#else
    return total + add_pairs(sum, scale);
#endif
}

/* The same with weights from -128 to 127 and int32 sums: AVX-512 adds 128 to the weights. */
static inline vector_i32 begin_bytes(const struct block_x *x, size_t part) {
    return VECTOR_LANES == 16 ? splat_i32(-128 * x->first.sums[part]) : (vector_i32){0};
}
static inline vector_i32 add_bytes(vector_i32 sum, vector_i32 w, const struct rounded *x,
                                   size_t chunk) {
#if VECTOR_LANES == 16
    __m512i above = _mm512_xor_si512((__m512i)w, _mm512_set1_epi8(-128));
    return (vector_i32)_mm512_dpbusd_epi32((__m512i)sum, above, _mm512_set1_epi32(x->all[chunk]));
#elif VECTOR_LANES == 8
    __m256i signs = _mm256_sign_epi8(_mm256_set1_epi32(x->all[chunk]), (__m256i)w);
    __m256i products = _mm256_maddubs_epi16(_mm256_abs_epi8((__m256i)w), signs);
    return sum + add_pairs((vector_i32)products, splat_i32(0x00010001));
#else
    vector_i16 even = (vector_i16)((vector_u16)w << 8) >> 8, odd = (vector_i16)w >> 8;
    vector_i32 pairs = (vector_i32)(even * (vector_i16)splat_i32(x->even[chunk]) +
                                    odd * (vector_i16)splat_i32(x->odd[chunk]));
    return sum + ((pairs >> 16) + ((vector_i32)((vector_u32)pairs << 16) >> 16));
#endif
}

/* The integers that the minima of a group of parts subtract. */
INLINE vector multiply_minima(const struct decoded *d, uint32_t part, uint32_t parts, uint32_t row,
                              const int16_t *sums) {
    vector_i32 total = {0};
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t i = 0; i < parts; i += 2) {
        int32_t two;
        memcpy(&two, sums + i, sizeof two);
        total += add_pairs((vector_i32)load_u32(d->minima[(part + i) / 2] + row), splat_i32(two));
    }
    return __builtin_convertvector(total, vector);
}

/* Adds the products of 4 columns of a tile. */
INLINE void multiply_words(vector_i32 *sums, const uint32_t *words, const struct block_x *x,
                           size_t chunk, const bool bytes, const uint32_t vectors,
                           const uint32_t positions) {
    if (bytes && positions == 1 && VECTOR_LANES > 4)
        _mm_prefetch((const char *)words + PREFETCH_BYTES, _MM_HINT_T0);
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < vectors; i++) {
        vector_i32 w = (vector_i32)load_u32(words + i * VECTOR_LANES);
#pragma clang loop unroll(full)
        for (uint32_t p = 0; p < positions; p++) {
            vector_i32 *sum = &sums[p * vectors + i];
            size_t at = chunk + p * x->chunks;
            *sum = bytes ? add_bytes(*sum, w, &x->first, at) : add_small(*sum, w, &x->first, at);
        }
    }
}

/* Adds the products of a part of a tile to its totals. */
INLINE void multiply_part(vector_i32 *totals, const struct block_step *s, const uint32_t *words,
                          uint32_t part, uint32_t row, const struct block_x *x, const bool bytes,
                          const uint32_t vectors, const uint32_t positions) {
    vector_i32 sums[BLOCK_SUMS];
    size_t chunk = part * PART_WORDS;
#pragma clang loop unroll(full)
    for (uint32_t p = 0; p < positions; p++) {
        size_t at = p * x->parts + part;
        vector_i32 begin = bytes ? begin_bytes(x, at) : begin_part(x, at, s->offset);
#pragma clang loop unroll(full)
        for (uint32_t i = 0; i < vectors; i++)
            sums[p * vectors + i] = begin;
    }
    if (positions == 1 && VECTOR_LANES > 4)
#pragma clang loop unroll(full)
        for (uint32_t k = 0; k < PART_WORDS; k++)
            multiply_words(sums, words + k * s->word, x, chunk + k, bytes, vectors, positions);
    else
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t k = 0; k < PART_WORDS; k++)
            multiply_words(sums, words + k * s->word, x, chunk + k, bytes, vectors, positions);
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < vectors; i++) {
        vector_i32 scale = {0};
        if (!bytes)
            scale = (vector_i32)load_u32(s->decoded->scales[part] + row + i * VECTOR_LANES);
#pragma clang loop unroll(full)
        for (uint32_t p = 0; p < positions; p++) {
            vector_i32 *total = &totals[p * vectors + i], sum = sums[p * vectors + i];
            *total = bytes ? *total + sum : add_part(*total, sum, scale);
        }
    }
}

/* A tile of a step: out += products. */
INLINE void multiply_tile(float *out, size_t out_stride, const struct block_step *s, uint32_t row,
                          const struct block_x *x, const bool bytes, const uint32_t rows,
                          const uint32_t positions) {
    const uint32_t vectors = rows / VECTOR_LANES;
    const struct decoded *d = s->decoded;
    vector sum[BLOCK_SUMS];
#pragma clang loop unroll(full)
    for (uint32_t p = 0; p < positions; p++)
#pragma clang loop unroll(full)
        for (uint32_t i = 0; i < vectors; i++)
            sum[p * vectors + i] = load(out + p * out_stride + i * VECTOR_LANES);
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t group = 0; group < s->groups; group++) {
        const uint32_t *words = s->words + group * s->group + row;
        uint32_t first = group * s->parts, index = group / s->scale;
        vector_i32 totals[BLOCK_SUMS] = {0};
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t part = first; part < first + s->parts; part++) {
            multiply_part(totals, s, words, part, row, x, bytes, vectors, positions);
            words += PART_WORDS * s->word;
        }
#pragma clang loop unroll(full)
        for (uint32_t p = 0; p < positions; p++) {
            vector x_scale = splat(x->first.scales[p * x->scales + group / s->x_scale]);
            const int16_t *x_sums = x->first.sums + p * x->parts + first;
#pragma clang loop unroll(full)
            for (uint32_t i = 0; i < vectors; i++) {
                vector *to = &sum[p * vectors + i];
                uint32_t lane = row + i * VECTOR_LANES;
                if (!bytes && s->minima)
                    *to -= multiply_minima(d, first, s->parts, lane, x_sums) *
                           load(d->min_scale[index] + lane) * x_scale;
                *to += __builtin_convertvector(totals[p * vectors + i], vector) *
                       load(d->scale[index] + lane) * x_scale;
            }
        }
    }
#pragma clang loop unroll(full)
    for (uint32_t p = 0; p < positions; p++)
#pragma clang loop unroll(full)
        for (uint32_t i = 0; i < vectors; i++)
            store(out + p * out_stride + i * VECTOR_LANES, sum[p * vectors + i]);
}

/* A step for all rows of a panel and count positions. */
INLINE void multiply_step(float *out, size_t out_stride, const struct block_step *s, uint32_t rows,
                          struct block_x x, uint32_t count, const bool bytes) {
    while (count > 0) {
        uint32_t now = count < BLOCK_POSITIONS ? 1 : BLOCK_POSITIONS;
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t row = 0; now == 1 && row < rows; row += BLOCK_ROWS)
            multiply_tile(out + row, 0, s, row, &x, bytes, BLOCK_ROWS, 1);
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t row = 0; now > 1 && row < rows; row += BLOCK_TILE_ROWS)
            multiply_tile(out + row, out_stride, s, row, &x, bytes, BLOCK_TILE_ROWS,
                          BLOCK_POSITIONS);
        x.first = rounded_behind(&x.first, now * x.chunks, now * x.parts, now * x.scales);
        out += now * out_stride;
        count -= now;
    }
}
IN_PAGE APART void multiply_small(float *out, size_t out_stride, const struct block_step *s,
                                  uint32_t rows, const struct block_x *x, uint32_t count) {
    multiply_step(out, out_stride, s, rows, *x, count, false);
}
IN_PAGE APART void multiply_bytes(float *out, size_t out_stride, const struct block_step *s,
                                  uint32_t rows, const struct block_x *x, uint32_t count) {
    multiply_step(out, out_stride, s, rows, *x, count, true);
}

/* What blocks of 32 columns leave as it is. */
static void fill_with_ones(struct decoded *d) {
    for (uint32_t part = 0; part < DECODED_PARTS; part++)
        for (uint32_t row = 0; row < MATRIX_TYPED_PANEL; row++) {
            d->scales[part][row] = VECTOR_LANES == 16 ? 1 : 0x00010001;
            d->minima[part / 2][row] = 0x00010001;
        }
}

static void matmul_blocks(float *out, const void *weights, uint32_t all_rows, uint32_t columns,
                          const struct weight_type *type, const struct rounded *all_x,
                          uint32_t out_stride, uint32_t count) {
    struct decoded decoded;
    const bool whole = type->columns == DECODED_COLUMNS, table = type->table;
    const bool bytes = table || type->low.bits == 8;
    const uint32_t group = rounded_group(type->columns);
    struct block_x x = {*all_x, columns / MATRIX_CHUNK, columns / WEIGHT_PART, columns / group};
    if (!whole)
        fill_with_ones(&decoded);
    const uint8_t *block = weights;
    for (uint32_t first = 0; first < all_rows; first += MATRIX_TYPED_PANEL) {
        uint32_t rows = matrix_typed_panel_rows(all_rows, first);
        for (uint32_t p = 0; p < count; p++)
            memset(out + first + (size_t)p * out_stride, 0, rows * sizeof *out);
        x.first = *all_x;
        for (uint32_t column = 0, now; column < columns; column += now) {
            now = columns - column < DECODED_COLUMNS ? columns - column : DECODED_COLUMNS;
            struct block_step s = {
                .words = decoded.words[0],
                .word = MATRIX_TYPED_PANEL,
                .groups = now / (bytes ? 32 : group),
                .parts = (bytes ? 32 : group) / WEIGHT_PART,
                .scale = whole && !table ? 2 : 1,
                .x_scale = whole && table ? 4 : 1,
                .offset = type->offset,
                .minima = type->minima,
                .decoded = &decoded,
            };
            s.group = s.parts * PART_WORDS * MATRIX_TYPED_PANEL;
            if (type->low.bits == 8) { /* where they are */
                s.words = (const uint32_t *)(const void *)block;
                s.word = rows;
                s.group = rows * type->bytes / 4;
            }
            for (uint32_t done = 0; done < now; done += type->columns, block += rows * type->bytes)
                decode_block(&decoded, done / WEIGHT_PART, block, rows, type);
            (bytes ? multiply_bytes : multiply_small)(out + first, out_stride, &s, rows, &x, count);
            x.first = rounded_behind(&x.first, now / MATRIX_CHUNK, now / WEIGHT_PART, now / group);
        }
    }
}
