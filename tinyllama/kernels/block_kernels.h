/* The tiles of products with GGUF's blocks (blocks.h), with rows as lanes. */
#pragma once
#include "block_decode.h"

/* Rows of a tile, whose sums fit into registers: of BLOCK_POSITIONS positions or of one, and of one
 * with weights in one plane, which leave more registers. A tile of 32 rows is also used for a panel
 * of 16: its other sums are of what happens to lie behind each word, and nobody reads them. */
#if VECTOR_LANES == 16
#define BLOCK_ROWS MATRIX_TYPED_PANEL
#elif VECTOR_LANES == 8
#define BLOCK_ROWS MATRIX_BLOCK
#define LOW_ROWS MATRIX_TYPED_PANEL
#else
#define BLOCK_ROWS MATRIX_BLOCK
#define LOW_ROWS MATRIX_BLOCK
#endif
#define BLOCK_SUMS 8u
/* Where there are no registers for them, the sums are in the first-level cache between groups. */
#define SUMS_IN_MEMORY(sums) (VECTOR_LANES == 8 && (sums) > 4)

/* A line is asked for with each word, and one more: parts of 4 bits have half a line more than
 * words. Bytes wait for memory, which likes to be asked at once. */
#define PREFETCH_WITH_WORDS(bytes) (VECTOR_LANES == 8 && !(bytes))

/*
 * Products of 4 columns with unsigned weights below 64: AVX-512 adds them to int32, the others to
 * pairs of int16, which hold a part: offset is at most half of what a weight may be, so 8 products
 * less offset are at most 8 * 32 * 127. Without the offset they may wrap, which is no harm.
 */
INLINE vector_i32 begin_part(const struct block_x *x, size_t part, int32_t offset) {
#if VECTOR_LANES == 16
    return splat_i32(-offset * x->first.sums[part]);
#else
    return (vector_i32)((vector_i16)splat_i32(x->first.pairs[part]) * (int16_t)-offset);
#endif
}
INLINE vector_i32 add_small(vector_i32 sum, vector_i32 w, struct lanes x) {
#if VECTOR_LANES == 16
    return (vector_i32)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)w, (__m512i)x.all);
#elif VECTOR_LANES == 8
    __m256i products = _mm256_maddubs_epi16((__m256i)w, (__m256i)x.all);
    return (vector_i32)((vector_i16)sum + (vector_i16)products);
#else
    vector_i16 even = (vector_i16)(w & 0x00FF00FF), odd = (vector_i16)((vector_u16)w >> 8);
    return (vector_i32)((vector_i16)sum + even * (vector_i16)x.even + odd * (vector_i16)x.odd);
#endif
}
/* total + scale * the sum of a part */
INLINE vector_i32 add_part(vector_i32 total, vector_i32 sum, vector_i32 scale) {
#if VECTOR_LANES == 16
    return total + sum * (scale >> 16);
#else
    return total + add_pairs(sum, scale);
#endif
}

/* 4 columns of as many rows as there are lanes, from byte offset of the words on. */
INLINE vector_i32 load_integers(const struct part_cursor *at, const struct layout *l,
                                uint32_t offset, const enum planes planes) {
#if VECTOR_LANES == 4
    if (planes != BYTES)
        return (vector_i32)join(read_integers(at, l, offset, planes),
                                read_integers(at, l, offset + 8, planes));
    return (vector_i32)load_u32(at->low + offset);
#else
    return (vector_i32)read_integers(at, l, offset, planes);
#endif
}

/* Adds the products of 4 columns of a tile, and goes on to the next ones. */
INLINE void multiply_words(vector_i32 *sums, struct part_cursor *at, const struct layout *l,
                           const struct block_x *x, size_t chunk, const enum planes planes,
                           const bool bytes, const uint32_t vectors, const uint32_t positions) {
    /* One of them is not used. Without a value it would be a variable that nothing refers to, and
     * trimmed's LLVM is not recorded with such a one. */
    vector_i32 words[BLOCK_SUMS] = {{0}};
    vector_i32 integers[BLOCK_SUMS] = {{0}};
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < vectors; i++) {
        uint32_t offset = i * (uint32_t)sizeof(vector);
        if (bytes)
            words[i] = load_words(at->low + offset);
        else
            integers[i] = load_integers(at, l, offset, planes);
    }
    join_loads(bytes ? (void *)words : integers, vectors);
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < vectors; i++)
#pragma clang loop unroll(full)
        for (uint32_t p = 0; p < positions; p++) {
            vector_i32 *sum = &sums[p * vectors + i];
            struct lanes lanes = splat_chunk(&x->first.chunks, chunk + p * x->chunks);
            *sum = bytes ? add_bytes(*sum, words[i], lanes) : add_small(*sum, integers[i], lanes);
        }
    advance(at, l, planes);
}

/* totals += scale * sums */
INLINE void add_scaled(vector_i32 *totals, const vector_i32 *sums, const struct block_step *s,
                       uint32_t part, uint32_t row, const uint32_t vectors,
                       const uint32_t positions) {
    const uint32_t *scales = s->decoded->scales[part >> s->scale_shift] + row;
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < vectors; i++) {
        vector_i32 scale = (vector_i32)load_u32(scales + i * VECTOR_LANES);
#pragma clang loop unroll(full)
        for (uint32_t p = 0; p < positions; p++)
            totals[p * vectors + i] =
                add_part(totals[p * vectors + i], sums[p * vectors + i], scale);
    }
}

/* Parts whose products are added before they are scaled. */
INLINE uint32_t parts_of_sum(const struct block_step *s, const bool bytes) {
    if (VECTOR_LANES == 16)
        return bytes ? 2 : 1;
    return VECTOR_LANES == 8 ? s->sum_parts : 1;
}

/* What the sums of bytes begin with, of two parts. */
INLINE vector_i32 begin_bytes(const struct block_x *x, size_t part) {
    return add_bytes_start(-128 * (x->first.sums[part] + x->first.sums[part + 1]));
}

/* What the sums of so many parts, one or two, begin with. */
INLINE vector_i32 begin_parts(const struct block_x *x, size_t part, uint32_t parts,
                              int32_t offset) {
    vector_i32 begin = begin_part(x, part, offset);
    if (parts == 2)
        begin = (vector_i32)((vector_i16)begin + (vector_i16)begin_part(x, part + 1, offset));
    return begin;
}

/* Adds the products of parts_of_sum parts of a tile to its totals. ahead: see prefetch_lines. */
INLINE void multiply_part(vector_i32 *totals, const struct block_step *s, struct part_cursor at,
                          uint32_t part, uint32_t row, const struct block_x *x,
                          const uint8_t *ahead, const enum planes planes, const bool bytes,
                          const uint32_t vectors, const uint32_t positions) {
    const struct layout *l = s->layout;
    vector_i32 sums[BLOCK_SUMS], *to = bytes ? totals : sums;
    size_t chunk = part * PART_WORDS;
#pragma clang loop unroll(full)
    for (uint32_t p = 0; p < positions; p++) {
        size_t index = p * x->parts + part;
        vector_i32 begin = bytes ? begin_bytes(x, index)
                                 : begin_parts(x, index, parts_of_sum(s, bytes), s->offset);
#pragma clang loop unroll(full)
        for (uint32_t i = 0; i < vectors; i++)
            to[p * vectors + i] = bytes ? totals[p * vectors + i] + begin : begin;
    }
    const uint32_t words = parts_of_sum(s, bytes) * PART_WORDS;
    uint32_t k = 0;
#pragma clang loop vectorize(disable) unroll(disable)
    do {
        multiply_words(to, &at, l, x, chunk + k, planes, bytes, vectors, positions);
        if (positions == 1 && PREFETCH_WITH_WORDS(bytes))
            prefetch_lines(ahead + k * 64, 1);
    } while (++k < words);
    if (positions == 1 && PREFETCH_WITH_WORDS(bytes))
        prefetch_lines(ahead + k * 64, 1);
    if (!bytes)
        add_scaled(totals, sums, s, part, row, vectors, positions);
}

/* Adds the totals of a group to the sums. halves: the block's factors, of row and following
 * rows. */
INLINE void add_group(vector *sum, const vector_i32 *totals, const struct block_step *s,
                      const uint8_t *halves, uint32_t group, uint32_t row, const struct block_x *x,
                      const bool bytes, const uint32_t vectors, const uint32_t positions) {
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < vectors; i++) {
        uint32_t lane = i * VECTOR_LANES;
        vector scale = load_halves(halves + lane * 2);
#pragma clang loop unroll(full)
        for (uint32_t p = 0; p < positions; p++) {
            vector x_scale = splat(x->first.scales[p * x->scales + (group >> s->x_shift)]);
            vector total = __builtin_convertvector(totals[p * vectors + i], vector);
            if (bytes && s->factors)
                total *= load(s->decoded->factors[group] + row + lane);
            sum[p * vectors + i] += total * scale * x_scale;
        }
    }
}

/* out -= what the minima of a step subtract, of one position. */
ONCE_A_BLOCK static void subtract_minima(float *out, const struct block_step *s,
                                         const struct block_x *x) {
    enum { VECTORS = BLOCK_ROWS / VECTOR_LANES };
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t row = 0; row < s->rows; row += BLOCK_ROWS) {
        const uint8_t *halves = s->halves + (s->rows + row) * 2;
        uint32_t part = 0, in_block = 0;
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t group = 0; group < s->groups; group++) {
            vector_i32 totals[VECTORS] = {0};
            const uint32_t end = part + s->parts;
#pragma clang loop vectorize(disable) unroll(disable)
            do {
                const uint32_t *minima = s->decoded->minima[part / 2] + row;
                int32_t two;
                memcpy(&two, x->first.sums + part, sizeof two);
#pragma clang loop unroll(full)
                for (uint32_t i = 0; i < VECTORS; i++)
                    totals[i] +=
                        add_pairs((vector_i32)load_u32(minima + i * VECTOR_LANES), splat_i32(two));
            } while ((part += 2) < end);
            vector x_scale = splat(x->first.scales[group]);
            vector_i32 sign = splat_i32((int32_t)s->minimum_sign);
#pragma clang loop unroll(full)
            for (uint32_t i = 0; i < VECTORS; i++) {
                float *to = out + row + i * VECTOR_LANES;
                vector_i32 minimum = (vector_i32)load_halves(halves + i * sizeof(vector) / 2);
                store(to, load(to) - __builtin_convertvector(totals[i], vector) *
                                         (vector)(minimum ^ sign) * x_scale);
            }
            in_block += s->parts;
            if (in_block == s->block_parts) {
                in_block = 0;
                halves += s->halves_bytes;
            }
        }
    }
}

/* The sums of a tile. */
INLINE void load_sums(vector *sum, const float *out, size_t out_stride, const uint32_t vectors,
                      const uint32_t positions) {
#pragma clang loop unroll(full)
    for (uint32_t p = 0; p < positions; p++)
#pragma clang loop unroll(full)
        for (uint32_t i = 0; i < vectors; i++)
            sum[p * vectors + i] = load(out + p * out_stride + i * VECTOR_LANES);
}
INLINE void store_sums(float *out, size_t out_stride, const vector *sum, const uint32_t vectors,
                       const uint32_t positions) {
#pragma clang loop unroll(full)
    for (uint32_t p = 0; p < positions; p++)
#pragma clang loop unroll(full)
        for (uint32_t i = 0; i < vectors; i++)
            store(out + p * out_stride + i * VECTOR_LANES, sum[p * vectors + i]);
}

/* A tile of a step: out += products. */
INLINE void multiply_tile(float *out, size_t out_stride, const struct block_step *s, uint32_t row,
                          const struct block_x *x, const enum planes planes, const bool bytes,
                          const uint32_t rows, const uint32_t positions) {
    const uint32_t vectors = rows / VECTOR_LANES;
    vector sum[BLOCK_SUMS];
    if (!SUMS_IN_MEMORY(vectors * positions))
        load_sums(sum, out, out_stride, vectors, positions);
    const uint8_t *block = s->block + row * 4, *halves = s->halves + row * 2;
    const uint32_t share = s->rows > rows ? s->ahead / 2 : s->ahead;
    const uint8_t *ahead = s->block + row / rows * s->groups * s->parts * share;
    uint32_t in_block = 0, part = 0;
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t group = 0; group < s->groups; group++) {
        vector_i32 totals[BLOCK_SUMS] = {0};
        const uint32_t end = part + s->parts;
#pragma clang loop vectorize(disable) unroll(disable)
        do {
            const uint32_t bytes_ahead = share * parts_of_sum(s, bytes);
            struct part_cursor at = begin_cursor(s->layout, block, in_block);
            in_block += parts_of_sum(s, bytes);
            if (positions == 1 && VECTOR_LANES == 8 && !PREFETCH_WITH_WORDS(bytes))
                prefetch(ahead, bytes_ahead);
            multiply_part(totals, s, at, part, row, x, ahead, planes, bytes, vectors, positions);
            if (positions == 1 && VECTOR_LANES == 8)
                ahead += bytes_ahead;
        } while ((part += parts_of_sum(s, bytes)) < end);
        if (SUMS_IN_MEMORY(vectors * positions))
            load_sums(sum, out, out_stride, vectors, positions);
        add_group(sum, totals, s, halves, group, row, x, bytes, vectors, positions);
        if (SUMS_IN_MEMORY(vectors * positions))
            store_sums(out, out_stride, sum, vectors, positions);
        if (in_block == s->block_parts) {
            in_block = 0;
            block += s->block_bytes;
            halves += s->halves_bytes;
        }
    }
    if (!SUMS_IN_MEMORY(vectors * positions))
        store_sums(out, out_stride, sum, vectors, positions);
}

#define MULTIPLY_STEP(attributes, name, planes, bytes, tile_rows, positions)                       \
    attributes static void name(float *out, size_t out_stride, const struct block_step *s,         \
                                const struct block_x *x) {                                         \
        uint32_t row = 0;                                                                          \
        do                                                                                         \
            multiply_tile(out + row, out_stride, s, row, x, planes, bytes, tile_rows, positions);  \
        while ((row += tile_rows) < s->rows);                                                      \
    }
#if VECTOR_LANES != 16
MULTIPLY_STEP(ONCE_A_BLOCK, multiply_low, LOW_PLANE, false, LOW_ROWS, 1)
#endif
#if VECTOR_LANES == 8
#include "block_six.h"
#define multiply_two NULL /* two planes at once would need more registers */
#else
#define multiply_six NULL
#endif
#if VECTOR_LANES == 4
MULTIPLY_STEP(ONCE_A_BLOCK, multiply_two, TWO_PLANES, false, BLOCK_ROWS, 1)
#endif
/* With AVX-512 all rows of a panel, so memory is read line after line. With AVX2 half of them: of
 * the others, each line is in the second-level cache when it is read. */
MULTIPLY_STEP(ONCE_A_BLOCK, multiply_bytes, BYTES, true, BLOCK_ROWS, 1)

#if VECTOR_LANES == 4
/* A tile for more positions would need more registers. What is decoded is a plane, too. */
INLINE void multiply_each(multiply_step *step, float *out, size_t out_stride,
                          const struct block_step *s, const struct block_x *x) {
    struct block_x from = *x;
#pragma clang loop unroll(disable)
    for (uint32_t p = 0; p < BLOCK_POSITIONS; p++, out += out_stride) {
        step(out, out_stride, s, &from);
        from.first = rounded_behind(&from.first, x->chunks, x->parts, x->scales);
    }
}
SMALL static void multiply_small_batch(float *out, size_t out_stride, const struct block_step *s,
                                       const struct block_x *x) {
    multiply_each(multiply_low, out, out_stride, s, x);
}
SMALL static void multiply_bytes_batch(float *out, size_t out_stride, const struct block_step *s,
                                       const struct block_x *x) {
    multiply_each(multiply_bytes, out, out_stride, s, x);
}
#else
MULTIPLY_STEP(, multiply_small_batch, BYTES, false, BLOCK_ROWS, BLOCK_POSITIONS)
MULTIPLY_STEP(, multiply_bytes_batch, BYTES, true, BLOCK_ROWS, BLOCK_POSITIONS)
#endif
#if VECTOR_LANES == 16
#include "block_twins.h"
#endif

SMALL static void unpack_brain_halves(float *out, const uint16_t *halves, size_t count) {
    typedef uint16_t half_vector __attribute__((vector_size(2 * VECTOR_LANES)));
#pragma clang loop vectorize(disable) unroll(disable)
    for (size_t i = 0; i < count; i += VECTOR_LANES) {
        half_vector packed;
        memcpy(&packed, halves + i, sizeof packed);
        store(out + i, (vector)(__builtin_convertvector(packed, vector_u32) << 16));
    }
}
