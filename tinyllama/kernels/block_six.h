/*
 * Products of one position with Q6_K, for vectors of 8 lanes. In a half of a block, parts i and
 * i + 4 have the low bits of their integers in the same words, and the high bits, too. Both are
 * multiplied at once: a word is loaded once, and shifted half as often. block_kernels.h includes
 * this.
 */
#pragma once

/* totals += scale * sums. A scale is a byte of a row's word; control has its place. */
INLINE void add_scaled_by_bytes(vector_i32 *totals, const vector_i32 *sums, const uint8_t *words,
                                vector_i32 control, const uint32_t vectors) {
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < vectors; i++) {
        __m256i word = (__m256i)load_words(words + i * sizeof(vector));
        __m256i scale = _mm256_srai_epi16(_mm256_shuffle_epi8(word, (__m256i)control), 8);
        totals[i] = add_part(totals[i], sums[i], (vector_i32)scale);
    }
}

/* All rows of a panel, and a block: its groups are halves. */
ONCE_A_BLOCK static void multiply_six(float *out, size_t out_stride, const struct block_step *s,
                                      const struct block_x *x) {
    enum { VECTORS = MATRIX_TYPED_PANEL / VECTOR_LANES, HALF_PARTS = 4, SCALE_WORDS = 4 };
    const size_t stride = s->layout->stride;
    const uint8_t *ahead = s->block;
    const uint8_t *scales = ahead + s->layout->parts->low - SCALE_WORDS * stride;
    (void)out_stride;
#pragma clang loop vectorize(disable) unroll(disable)
    for (uint32_t group = 0, part = 0; group < 2; group++, part += HALF_PARTS) {
        vector_i32 totals[VECTORS] = {0};
        /* Of the first byte of each word, twice: to the upper byte of an int16. */
        vector_i32 control = (vector_i32)_mm256_broadcastsi128_si256(
            _mm_set_epi32(0x0C800C80, 0x08800880, 0x04800480, 0x00800080));
        const uint32_t end = part + HALF_PARTS;
#pragma clang loop vectorize(disable) unroll(disable)
        do {
            struct part_cursor at = begin_cursor(s->layout, s->block, part);
            const int32_t *chunks = x->first.chunks.all + part * PART_WORDS;
            vector_i32 sums[2][VECTORS];
#pragma clang loop unroll(full)
            for (uint32_t i = 0; i < VECTORS; i++) {
                sums[0][i] = begin_part(x, part, s->offset);
                sums[1][i] = begin_part(x, part + HALF_PARTS, s->offset);
            }
#pragma clang loop vectorize(disable) unroll(disable)
            for (uint32_t k = 0; k < PART_WORDS; k++, chunks++) {
                struct lanes first = {splat_i32(chunks[0])};
                struct lanes second = {splat_i32(chunks[HALF_PARTS * PART_WORDS])};
#pragma clang loop unroll(full)
                for (uint32_t i = 0; i < VECTORS; i++) {
                    bits lower = load_bits(at.low + i * sizeof(vector));
                    bits upper = load_bits(at.high + i * sizeof(vector)) >> at.high_shift;
                    bits one = (lower & 0x0F0F0F0F) | (upper << 4 & 0x30303030);
                    sums[0][i] = add_small(sums[0][i], (vector_i32)one, first);
                    bits other = (lower >> 4 & 0x0F0F0F0F) | (upper & 0x30303030);
                    sums[1][i] = add_small(sums[1][i], (vector_i32)other, second);
                    prefetch_lines(ahead + 64 * i, 1);
                }
                at.low += stride;
                at.high += stride;
                ahead += s->ahead / 2; /* of two parts, a PART_WORDS-th */
            }
            add_scaled_by_bytes(totals, sums[0], scales, control, VECTORS);
            add_scaled_by_bytes(totals, sums[1], scales + stride, control, VECTORS);
            control += 0x01000100;
        } while (++part < end);
        scales += 2 * stride;
        vector sum[VECTORS];
        load_sums(sum, out, 0, VECTORS, 1);
        add_group(sum, totals, s, s->halves, group, 0, x, false, VECTORS, 1);
        store_sums(out, 0, sum, VECTORS, 1);
    }
}
