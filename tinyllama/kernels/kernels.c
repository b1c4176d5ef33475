/*
 * The kernels. This file is compiled once for each vector width, with KERNELS_SUFFIX naming the
 * table that it makes: kernels_sse2, kernels_avx2, kernels_avx512.
 */
#include "kernels.h"
#include "block_kernels.h"
#include "vector_attention.h"
#include "vector_exp.h"
#include "vector_quantize.h"
#include "vector_sum.h"

/* ---- Matrices ---- */

/*
 * A tile is some rows by some positions, whose sums fit into the registers: a weight is loaded once
 * for all positions of the tile. Each sum runs over the columns in order, whatever the tile.
 */

/* One tile of rows by positions. The weights of column 0 begin at weights, those of each further
 * column stride floats later; out and x are those of the first position. more: the sums go on from
 * what out has. */
INLINE void multiply_f32(float *out, size_t out_stride, const float *weights, size_t stride,
                         const float *x, size_t x_stride, uint32_t columns, bool more,
                         const uint32_t rows, const uint32_t positions) {
    vector sum[MAX_SUMS] = {0};
    if (more)
#pragma clang loop unroll(full)
        for (uint32_t i = 0; i < rows / VECTOR_LANES; i++)
#pragma clang loop unroll(full)
            for (uint32_t p = 0; p < positions; p++)
                sum[i * positions + p] = load(out + p * out_stride + i * VECTOR_LANES);
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t column = 0; column < columns; column++, weights += stride) {
        vector broadcast[F32_POSITIONS];
#pragma clang loop unroll(full)
        for (uint32_t p = 0; p < positions; p++)
            broadcast[p] = splat(x[p * x_stride + column]);
#pragma clang loop unroll(full)
        for (uint32_t i = 0; i < rows / VECTOR_LANES; i++) {
            vector weight = load(weights + i * VECTOR_LANES);
#pragma clang loop unroll(full)
            for (uint32_t p = 0; p < positions; p++)
                sum[i * positions + p] += weight * broadcast[p];
        }
    }
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < rows / VECTOR_LANES; i++)
#pragma clang loop unroll(full)
        for (uint32_t p = 0; p < positions; p++)
            store(out + p * out_stride + i * VECTOR_LANES, sum[i * positions + p]);
}

/* Some rows of a panel, columns of them, and count positions. */
IN_PAGE static void multiply_panel_f32(float *out, size_t out_stride, const float *panel,
                                       size_t stride, uint32_t rows, uint32_t columns,
                                       const float *x, size_t x_stride, uint32_t count, bool more) {
    for (; count >= F32_POSITIONS; count -= F32_POSITIONS) {
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t done = 0; done < rows; done += F32_TILE_ROWS)
            multiply_f32(out + done, out_stride, panel + done, stride, x, x_stride, columns, more,
                         F32_TILE_ROWS, F32_POSITIONS);
        out += F32_POSITIONS * out_stride;
        x += F32_POSITIONS * x_stride;
    }
    for (; count > 0; count--, out += out_stride, x += x_stride) {
        uint32_t done = 0;
        for (; F32_ROWS == 64 && rows - done >= 64; done += 64)
            multiply_f32(out + done, 0, panel + done, stride, x, 0, columns, more, F32_ROWS, 1);
        for (; rows - done >= 32; done += 32)
            multiply_f32(out + done, 0, panel + done, stride, x, 0, columns, more, 32, 1);
        for (; done < rows; done += 16)
            multiply_f32(out + done, 0, panel + done, stride, x, 0, columns, more, 16, 1);
    }
}

SMALL static void matmul_f32(float *out, const void *weights, uint32_t all_rows, uint32_t columns,
                             const float *x, uint32_t x_stride, uint32_t count) {
    const float *panel = weights;
    for (uint32_t row = 0, rows; row < all_rows; row += rows, panel += (size_t)rows * columns) {
        rows = matrix_panel_rows(all_rows, row);
        multiply_panel_f32(out + row, all_rows, panel, rows, rows, columns, x, x_stride, count,
                           false);
    }
}

/* The same for int8. A chunk's weights and a group's scale both take 4 bytes a row: one pointer
 * steps through all of them; stride is in bytes. */
INLINE void multiply_q8(float *out, size_t out_stride, const char *weights, size_t stride,
                        struct quantized x, uint32_t groups, uint32_t chunks, const uint32_t rows,
                        const uint32_t positions) {
    vector sum[MAX_SUMS] = {0};
    size_t index = 0;
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t group = 0; group < groups; group++) {
        vector_i32 products[MAX_SUMS];
#pragma clang loop unroll(full)
        for (uint32_t p = 0; p < positions; p++)
#pragma clang loop unroll(full)
            for (uint32_t i = 0; i < rows / VECTOR_LANES; i++)
                products[i * positions + p] = add_bytes_start(x.start[p * groups + group]);
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t chunk = 0; chunk < chunks; chunk++, index++, weights += stride) {
            vector_i32 words[MAX_SUMS];
#pragma clang loop unroll(full)
            for (uint32_t i = 0; i < rows / VECTOR_LANES; i++)
                words[i] = load_words(weights + i * sizeof(vector));
            join_loads(words, rows / VECTOR_LANES);
#pragma clang loop unroll(full)
            for (uint32_t p = 0; p < positions; p++) {
                struct lanes lanes = splat_chunk(&x.chunks, index + (size_t)p * groups * chunks);
#pragma clang loop unroll(full)
                for (uint32_t i = 0; i < rows / VECTOR_LANES; i++)
                    products[i * positions + p] =
                        add_bytes(products[i * positions + p], words[i], lanes);
            }
        }
#pragma clang loop unroll(full)
        for (uint32_t p = 0; p < positions; p++) {
            vector x_scale = splat(x.scales[p * groups + group]);
#pragma clang loop unroll(full)
            for (uint32_t i = 0; i < rows / VECTOR_LANES; i++)
                sum[i * positions + p] +=
                    __builtin_convertvector(products[i * positions + p], vector) *
                    load((const float *)weights + i * VECTOR_LANES) * x_scale;
        }
        weights += stride;
    }
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < rows / VECTOR_LANES; i++)
#pragma clang loop unroll(full)
        for (uint32_t p = 0; p < positions; p++)
            store(out + p * out_stride + i * VECTOR_LANES, sum[i * positions + p]);
}

/* A panel and count positions. */
IN_PAGE APART void multiply_panel_q8(float *out, size_t out_stride, const char *panel,
                                     uint32_t rows, const struct quantized *x, uint32_t groups,
                                     uint32_t chunks, uint32_t count) {
    size_t stride = (size_t)rows * MATRIX_CHUNK;
    uint32_t p = 0;
    for (; count - p >= Q8_POSITIONS; p += Q8_POSITIONS, out += Q8_POSITIONS * out_stride)
#pragma clang loop vectorize(disable) unroll(disable)
        for (uint32_t done = 0; done < rows; done += Q8_TILE_ROWS)
            multiply_q8(out + done, out_stride, panel + done * 4, stride,
                        quantized_at(x, p, groups, chunks), groups, chunks, Q8_TILE_ROWS,
                        Q8_POSITIONS);
    for (; p < count; p++, out += out_stride) {
        struct quantized from = quantized_at(x, p, groups, chunks);
        uint32_t done = 0;
        for (; Q8_ROWS > 16 && rows - done >= Q8_ROWS; done += Q8_ROWS)
            multiply_q8(out + done, 0, panel + done * 4, stride, from, groups, chunks, Q8_ROWS, 1);
        for (; done < rows; done += 16)
            multiply_q8(out + done, 0, panel + done * 4, stride, from, groups, chunks, 16, 1);
    }
}

SMALL static void matmul_q8(float *out, const void *weights, uint32_t all_rows, uint32_t columns,
                            uint32_t group, const struct quantized *x, uint32_t count) {
    const char *panel = weights;
    uint32_t groups = columns / group, chunks = matrix_group_chunks(group);
    for (uint32_t row = 0, rows; row < all_rows; row += rows) {
        rows = matrix_panel_rows(all_rows, row);
        multiply_panel_q8(out + row, all_rows, panel, rows, x, groups, chunks, count);
        panel += (size_t)rows * groups * matrix_group_bytes(group);
    }
}

/* ---- Vectors of activations ---- */

SMALL static void rms_norm(float *out, const float *x, const float *weight, uint32_t size,
                           float epsilon) {
    vector squares[SUM_VECTORS] = {0};
    for (uint32_t i = 0; i < size; i += SUM_LANES)
#pragma clang loop unroll(full)
        for (int j = 0; j < SUM_VECTORS; j++) {
            vector part = load(x + i + j * VECTOR_LANES);
            squares[j] += part * part;
        }
    vector scale = splat(1.0f / sqrtf(sum_lanes(squares) / (float)size + epsilon));
    for (uint32_t i = 0; i < matrix_padded(size); i += VECTOR_LANES)
        store(out + i, load(weight + i) * (scale * load(x + i)));
}

/* v with the lanes of each pair exchanged. */
static inline vector exchange_pairs(vector v) {
#if VECTOR_LANES == 4
    return __builtin_shufflevector(v, v, 1, 0, 3, 2);
#elif VECTOR_LANES == 8
    return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6);
#else
    return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
#endif
}

SMALL static void rotate(float *x, const float *cosines, const float *sines, uint32_t size) {
    for (uint32_t i = 0; i < size; i += VECTOR_LANES) {
        vector pairs = load(x + i);
        store(x + i, pairs * load(cosines + i) + exchange_pairs(pairs) * load(sines + i));
    }
}

/* 1 / (1 + e^-x) for x >= 0, and e^x / (1 + e^x) for x < 0: no power is large. */
INLINE vector sigmoid(vector x) {
    vector_i32 negative = (vector_i32)x >> 31;
    vector magnitude = (vector)((vector_i32)x & INT32_MAX);
    vector power = exp2_minus(magnitude * splat(LOG2_E));
    vector one = splat(1.0f);
    vector top = (vector)(((vector_i32)power & negative) | ((vector_i32)one & ~negative));
    return top / (one + power);
}

SMALL static void swiglu(float *gate, const float *up, uint32_t size) {
    for (uint32_t i = 0; i < size; i += VECTOR_LANES) {
        vector g = load(gate + i);
        store(gate + i, g * sigmoid(g) * load(up + i));
    }
}

SMALL static void geglu(float *gate, const float *up, uint32_t size) {
    for (uint32_t i = 0; i < size; i += VECTOR_LANES) {
        vector g = load(gate + i);
        vector cubic = (g * g * splat(0.044715f) + splat(1.0f)) * g;
        store(gate + i, g * sigmoid(cubic * splat(0x1.988454p+0f)) * load(up + i));
    }
}

SMALL static void add(float *x, const float *y, uint32_t size) {
    for (uint32_t i = 0; i < size; i += VECTOR_LANES)
        store(x + i, load(x + i) + load(y + i));
}

#define JOIN(a, b) a##b
#define TABLE(suffix) JOIN(kernels_, suffix)
#define NAME(suffix) #suffix
#define NAME_OF(suffix) NAME(suffix)

const struct kernels TABLE(KERNELS_SUFFIX) = {
    .name = NAME_OF(KERNELS_SUFFIX),
    .reads_halves = READS_HALVES,
    .matmul_f32 = matmul_f32,
    .matmul_q8 = matmul_q8,
    .quantize = quantize,
    .round_blocks = round_blocks,
    .blocks =
        {
            .low = multiply_low,
            .two = multiply_two,
            .six = multiply_six,
            .bytes = multiply_bytes,
            .small_batch = multiply_small_batch,
            .bytes_batch = multiply_bytes_batch,
            .subtract_minima = subtract_minima,
            .decode_scales = decode_block_scales,
            .decode_words = decode_block_words,
            .unpack_brain_halves = unpack_brain_halves,
        },
    .multiply_panel_f32 = multiply_panel_f32,
    .score = score,
    .weigh = weigh,
    .mix = mix,
    .unpack_halves = unpack_halves,
    .unpack_key_bytes = unpack_key_bytes,
    .unpack_value_bytes = unpack_value_bytes,
    .rms_norm = rms_norm,
    .rotate = rotate,
    .swiglu = swiglu,
    .geglu = geglu,
    .add = add,
};
