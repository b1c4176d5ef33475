/*
 * The exponential function for vectors: 2^-x = 2^-e * 2^(-k/32) * 2^-f.
 *
 * x is rounded to whole 32nds, 32 e + k of them; f = x - e - k/32, with |f| <= 1/64. 2^-e is the
 * float's exponent, 2^(-k/32) comes from a table, 2^-f from a polynomial of degree 2. There are few
 * operations on floats, because QEMU's emulation is slow at those (vector.h).
 */
#pragma once
#include "vector.h"

/* 2^(-k/32) as float32, rounded to nearest. */
static const uint32_t exp2_table[32] = {
    0x3F800000, 0x3F7A83B3, 0x3F75257D, 0x3F6FE4BA, 0x3F6AC0C7, 0x3F65B907, 0x3F60CCDF, 0x3F5BFBB8,
    0x3F5744FD, 0x3F52A81E, 0x3F4E248C, 0x3F49B9BE, 0x3F45672A, 0x3F412C4D, 0x3F3D08A4, 0x3F38FBAF,
    0x3F3504F3, 0x3F3123F6, 0x3F2D583F, 0x3F29A15B, 0x3F25FED7, 0x3F227043, 0x3F1EF532, 0x3F1B8D3A,
    0x3F1837F0, 0x3F14F4F0, 0x3F11C3D3, 0x3F0EA43A, 0x3F0B95C2, 0x3F08980F, 0x3F05AAC3, 0x3F02CD87};

/* x + EXP2_ROUNDING is x rounded to whole 32nds; the low 12 bits are their number. */
#define EXP2_ROUNDING 0x1.8p18f
#define EXP2_LARGEST 125.0f

#if VECTOR_LANES == 4
/* exp2_of_whole of two lanes. There is no borrow between them, because e is at most 125. */
INLINE uint64_t exp2_of_halves(uint64_t rounded) {
    uint64_t scale = exp2_table[rounded & 31] | (uint64_t)exp2_table[rounded >> 32 & 31] << 32;
    return scale - ((rounded & 0x00000FE000000FE0) << 18);
}
#elif VECTOR_LANES == 8
/* One of eight numbers of the table, by the low 3 bits. Not by a gather, which takes CPUs as long
 * as eight loads, and which QEMU 7.2 emulates wrongly when the index is YMM4. */
INLINE vector exp2_of_eight(size_t first, __m256i n) {
    __m256i eight = _mm256_loadu_si256((const __m256i *)(exp2_table + first));
    return (vector)_mm256_permutevar8x32_epi32(eight, n);
}
#endif

/* 2^-(e + k/32), from x + EXP2_ROUNDING. */
INLINE vector exp2_of_whole(vector rounded) {
#if VECTOR_LANES == 4
    uint64_t low, high;
    split((__m128i)rounded, &low, &high);
    return (vector)join(exp2_of_halves(low), exp2_of_halves(high));
#elif VECTOR_LANES == 8
    __m256i n = (__m256i)rounded; /* of it, a permutation uses the low 3 bits */
    vector bit_3 = (vector)_mm256_slli_epi32(n, 28), bit_4 = (vector)_mm256_slli_epi32(n, 27);
    vector low = _mm256_blendv_ps(exp2_of_eight(0, n), exp2_of_eight(8, n), bit_3);
    vector high = _mm256_blendv_ps(exp2_of_eight(16, n), exp2_of_eight(24, n), bit_3);
    __m256i scale = (__m256i)_mm256_blendv_ps(low, high, bit_4);
    n = _mm256_and_si256(n, _mm256_set1_epi32(0xFE0));
    return (vector)_mm256_sub_epi32(scale, _mm256_slli_epi32(n, 18));
#else
    __m512i n = (__m512i)rounded; /* of it, the permutation uses the low 5 bits */
    __m512i scale = _mm512_permutex2var_epi32(_mm512_loadu_si512(exp2_table), n,
                                              _mm512_loadu_si512(exp2_table + 16));
    n = _mm512_and_si512(n, _mm512_set1_epi32(0xFE0));
    return (vector)_mm512_sub_epi32(scale, _mm512_slli_epi32(n, 18));
#endif
}

/* 2^-x for 0 <= x <= 125, with a relative error below 2^-22 (tests/host/test_exp.c); 2^-0 is
 * exactly 1. For x > 125 about 2^-125. */
INLINE vector exp2_minus(vector x) {
    x = smaller(x, splat(EXP2_LARGEST));
    vector rounded = x + splat(EXP2_ROUNDING);
    vector f = x - (rounded - splat(EXP2_ROUNDING));
    /* 2^-f: minimax, relative error 2^-24.2, with the constant term 1. */
    vector p = (splat(0x1.ebfbecp-3f) * f - splat(0x1.62e584p-1f)) * f + splat(1.0f);
    return p * exp2_of_whole(rounded);
}
