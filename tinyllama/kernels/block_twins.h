/*
 * Products of one position with planes of bits, for vectors of 16 lanes. Two parts, twins, have
 * their integers in the same words, and both are multiplied at once. Integers stay where they are
 * in their bytes: the sums of each plane are shifted, not each of its words. block_kernels.h
 * includes this.
 */
#pragma once

/* Sums of two parts, for 32 rows. */
typedef vector_i32 twin_sums[2][2];

/* Adds the products of a plane's words. shift: how far bits go left from one word to the next. */
INLINE void multiply_plane(twin_sums sums, const uint8_t *words, uint32_t stride, uint32_t shift,
                           uint32_t mask, uint32_t twin_mask, const int32_t *x,
                           const int32_t *twin_x) {
    vector_u32 masks[2] = {(vector_u32)splat_i32((int32_t)mask),
                           (vector_u32)splat_i32((int32_t)twin_mask)};
#pragma clang loop unroll(full)
    for (uint32_t k = 0; k < PART_WORDS; k++, words += stride)
#pragma clang loop unroll(full)
        for (uint32_t i = 0; i < 2; i++) {
            vector_u32 word = load_u32(words + i * sizeof(vector)) >> k * shift;
            struct lanes lanes = {splat_i32(x[k])}, twin_lanes = {splat_i32(twin_x[k])};
            sums[0][i] = add_small(sums[0][i], (vector_i32)(word & masks[0]), lanes);
            sums[1][i] = add_small(sums[1][i], (vector_i32)(word & masks[1]), twin_lanes);
        }
}

/* All rows of a panel. */
INLINE void multiply_twins(float *out, const struct block_step *s, const struct block_x *x,
                           const enum planes planes) {
    const struct layout *l = s->layout;
    const uint32_t twin = s->twin;
    const uint8_t *block = s->block, *halves = s->halves;
    const struct plane_part *at = l->parts;
    vector sum[2];
    load_sums(sum, out, 0, 2, 1);
    uint32_t part = 0;
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t group = 0; group < s->groups; group++) {
        vector_i32 totals[2] = {0};
        twin_sums sums = {0};
        const uint32_t end = part + s->parts;
#pragma clang loop vectorize(disable) unroll(disable)
        do {
            const int32_t *chunks = x->first.chunks.all + part * PART_WORDS;
            const int32_t *twin_chunks = chunks + twin * PART_WORDS;
            const int16_t *x_sums = x->first.sums + part;
            twin_sums low = {0}, high = {0};
            multiply_plane(low, block + at->low, l->stride, 0, at->low_mask, at[twin].low_mask,
                           chunks, twin_chunks);
            if (planes == TWO_PLANES)
                multiply_plane(high, block + at->high, l->high_stride, l->high_shift, at->high_mask,
                               at[twin].high_mask, chunks, twin_chunks);
#pragma clang loop unroll(full)
            for (uint32_t i = 0; i < 2; i++) {
                sums[0][i] += (low[0][i] >> at->low_shift) + splat_i32(-s->offset * x_sums[0]);
                sums[1][i] +=
                    (low[1][i] >> at[twin].low_shift) + splat_i32(-s->offset * x_sums[twin]);
                if (planes == TWO_PLANES) {
                    sums[0][i] += high[0][i] >> at->high_shift << l->above;
                    sums[1][i] += high[1][i] >> at[twin].high_shift << l->above;
                }
            }
            if (twin == 1) { /* blocks of 32 columns have no integer scales */
                totals[0] = sums[0][0] + sums[1][0];
                totals[1] = sums[0][1] + sums[1][1];
            } else if (part & s->scale_shift || !s->scale_shift) { /* the last of a scale */
                add_scaled(totals, sums[0], s, part, 0, 2, 1);
                add_scaled(totals, sums[1], s, part + twin, 0, 2, 1);
                memset(sums, 0, sizeof(twin_sums));
            }
            at++;
            if (++part & twin) {
                part += twin;
                at += twin;
            }
        } while (part < end);
        add_group(sum, totals, s, halves, group, 0, x, false, 2, 1);
        if (at == l->parts + s->block_parts) {
            at = l->parts;
            block += s->block_bytes;
            halves += s->halves_bytes;
        }
    }
    store_sums(out, 0, sum, 2, 1);
}

ONCE_A_BLOCK static void multiply_low(float *out, size_t out_stride, const struct block_step *s,
                                      const struct block_x *x) {
    (void)out_stride;
    if (s->twin) {
        multiply_twins(out, s, x, LOW_PLANE);
        return;
    }
    /* What is decoded is multiplied as in a batch: by the same position each time. These are what
     * is left of a batch, so a kernel of their own would gain little. */
    const struct block_x same = {.first = x->first};
    multiply_small_batch(out, 0, s, &same);
}
ONCE_A_BLOCK static void multiply_two(float *out, size_t out_stride, const struct block_step *s,
                                      const struct block_x *x) {
    (void)out_stride;
    multiply_twins(out, s, x, TWO_PLANES);
}
