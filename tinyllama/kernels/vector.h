/*
 * Vectors for kernels.c and elementwise.c, as wide as the compiler's options allow. The width
 * changes no result: the lanes are independent float32 operations, and a sum over a vector has
 * SUM_LANES partial sums in SUM_VECTORS vectors at every width.
 *
 * For SSE2, loads and broadcasts are written out, because that width runs under QEMU's emulation
 * (TCG). There an instruction on four floats is a function call of 11 ns. A 16-byte load adds 6 ns,
 * an operand in memory 14 ns, SHUFPS 3.5 ns; 8-byte moves and integer instructions take 0.2 to
 * 0.3 ns. So loads are two 8-byte halves, and no operand is in memory.
 */
#pragma once
#include "low_half.h"
#include "tinyllama/formats/quantized.h"
#include <immintrin.h>
#include <stdint.h>
#include <string.h>

/* Sizes of tiles (kernels.c) whose sums fit into the registers: F32_ROWS by 1 position, or
 * F32_TILE_ROWS by F32_POSITIONS; for int8 likewise. With SSE2's int8, two positions would need all
 * registers, and under TCG they would be slower than one after the other. */
#if defined(__AVX512F__)
#define VECTOR_LANES 16
#define F32_ROWS 64
#define F32_TILE_ROWS 16
#define F32_POSITIONS 4
#define Q8_ROWS 64
#define Q8_TILE_ROWS 16
#define Q8_POSITIONS 4
#elif defined(__AVX2__)
#define VECTOR_LANES 8
#define F32_ROWS 64
#define F32_TILE_ROWS 16
#define F32_POSITIONS 4
#define Q8_ROWS 32
#define Q8_TILE_ROWS 16
#define Q8_POSITIONS 2
#else
#define VECTOR_LANES 4
#define F32_ROWS 32
#define F32_TILE_ROWS 16
#define F32_POSITIONS 2
#define Q8_ROWS 16
#ifdef __x86_64__
#define Q8_TILE_ROWS 16
#else
#define Q8_TILE_ROWS 8
#endif
#define Q8_POSITIONS 1
#endif

#define INLINE static inline __attribute__((always_inline))
#define APART static __attribute__((noinline))

/* For a kernel that does not run once for every weight of a generated token: where the compiler is
 * asked for size (-Os), it makes these as small as it can. The others are INLINE as far as their
 * loops go, because a function that is only `inline` may then stay a call. */
#ifdef __OPTIMIZE_SIZE__
#define SMALL __attribute__((minsize))
#else
#define SMALL
#endif

/* The same for one that runs once for every block. With SSE2 the smaller code takes fewer
 * instructions, too. */
#if defined(__AVX2__)
#define ONCE_A_BLOCK
#else
#define ONCE_A_BLOCK SMALL
#endif

/* QEMU's emulation (TCG) cannot chain a jump to code on another page, which costs a hot loop some 8
 * % of its speed. The width that is used there is aligned so that its loops rarely cross a page. */
#if VECTOR_LANES == 4
#define IN_PAGE __attribute__((aligned(1024)))
#else
#define IN_PAGE
#endif

#define MAX_SUMS 8 /* vectors that the sums of a tile take, at most */

#define SUM_LANES 16
#define SUM_VECTORS (SUM_LANES / VECTOR_LANES)

typedef float vector __attribute__((vector_size(4 * VECTOR_LANES)));
typedef int32_t vector_i32 __attribute__((vector_size(4 * VECTOR_LANES)));
typedef uint32_t vector_u32 __attribute__((vector_size(4 * VECTOR_LANES)));
typedef int16_t vector_i16 __attribute__((vector_size(4 * VECTOR_LANES)));
typedef uint16_t vector_u16 __attribute__((vector_size(4 * VECTOR_LANES)));
typedef float f32x4 __attribute__((vector_size(16)));
/* In memory: aligned like its elements. */
typedef float vector_memory __attribute__((vector_size(4 * VECTOR_LANES), aligned(4)));

/* load: as many floats as there are lanes; splat: one number in all lanes. */
#if VECTOR_LANES == 4

/* Hides the value from the compiler, which would make one load of two, and shuffles of moves. The
 * assembly is empty: the JIT has no assembler. */
#define OPAQUE(value) __asm__("" : "+x"(value))

INLINE vector load(const float *from) {
    __m128d v = _mm_load_sd((const double *)from);
    OPAQUE(v);
    return (vector)_mm_loadh_pd(v, (const double *)(from + 2));
}
/* A register of two halves. By MOVLHPS, which TCG translates to a move; PUNPCKLQDQ would be a
 * call. */
INLINE __m128i join(uint64_t low, uint64_t high) {
    __m128 v = (__m128)from_low_half(low);
    __m128 upper = (__m128)from_low_half(high);
    OPAQUE(v);
    OPAQUE(upper);
    v = _mm_movelh_ps(v, upper);
    OPAQUE(v);
    return (__m128i)v;
}
INLINE vector_i32 splat_i32(int32_t value) {
#ifdef __x86_64__
    /* One instruction in a loop: the factor stays in a register. A shift and an OR are three. */
    uint64_t pair = (uint32_t)value * UINT64_C(0x100000001);
    OPAQUE_INTEGER(pair); /* no constant in memory */
    __m128 v = (__m128)from_low_half(pair);
    OPAQUE(v);
    v = _mm_movelh_ps(v, v);
    OPAQUE(v);
    return (vector_i32)v;
#else
    /* Under TCG a call, but two halves that are stored to memory and read as one take longer. */
    return (vector_i32)_mm_shuffle_epi32(_mm_cvtsi32_si128(value), 0);
#endif
}
INLINE vector splat(float value) {
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (vector)splat_i32(bits);
}
/* The halves of a register. */
INLINE void split(__m128i v, uint64_t *low, uint64_t *high) {
    *low = low_half(v);
    *high = low_half(_mm_unpackhi_epi64(v, v));
    OPAQUE_INTEGER(*low);
    OPAQUE_INTEGER(*high);
}

#else

INLINE vector load(const float *from) {
    return *(const vector_memory *)from;
}
INLINE vector_i32 splat_i32(int32_t value) {
    return (vector_i32){0} + value;
}
INLINE vector splat(float value) {
    f32x4 v = {value};
#if VECTOR_LANES == 8
    return __builtin_shufflevector(v, v, 0, 0, 0, 0, 0, 0, 0, 0);
#else
    return __builtin_shufflevector(v, v, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
#endif
}

#endif

INLINE void store(float *to, vector v) {
    *(vector_memory *)to = v;
}

/* As many binary16 numbers as there are lanes. */
INLINE vector load_halves(const void *from) {
#if VECTOR_LANES == 16
    return (vector)_mm512_cvtph_ps(_mm256_loadu_si256(from));
#elif VECTOR_LANES == 8
    return (vector)_mm256_cvtph_ps(_mm_loadu_si128(from));
#else
    /* As float_of_half (weight_types.h). */
    vector_u32 half = (vector_u32)_mm_unpacklo_epi16(_mm_loadl_epi64(from), _mm_setzero_si128());
    vector_u32 magnitude = (half & 0x7FFF) << 13;
    vector_u32 special = (vector_u32)((vector_i32)magnitude > 0x0F7FFFFF);
    vector_u32 number = (vector_u32)((vector)magnitude * splat(0x1p112f));
    return (vector)(number | (special & (magnitude | 0x7F800000)) | (half & 0x8000) << 16);
#endif
}

/* The larger or smaller of each pair of lanes; b where a or b is NaN (MAXPS, MINPS). */
INLINE vector larger(vector a, vector b) {
#if VECTOR_LANES == 4
    return (vector)_mm_max_ps((__m128)a, (__m128)b);
#elif VECTOR_LANES == 8
    return (vector)_mm256_max_ps((__m256)a, (__m256)b);
#else
    return (vector)_mm512_max_ps((__m512)a, (__m512)b);
#endif
}
INLINE vector smaller(vector a, vector b) {
#if VECTOR_LANES == 4
    return (vector)_mm_min_ps((__m128)a, (__m128)b);
#elif VECTOR_LANES == 8
    return (vector)_mm256_min_ps((__m256)a, (__m256)b);
#else
    return (vector)_mm512_min_ps((__m512)a, (__m512)b);
#endif
}

/* A chunk of 4 activations in all lanes. */
struct lanes {
#if VECTOR_LANES == 4
    vector_i32 even, odd;
#else
    vector_i32 all;
#endif
};
INLINE struct lanes splat_chunk(const struct chunks *x, size_t chunk) {
#if VECTOR_LANES == 4
    return (struct lanes){splat_i32(x->even[chunk]), splat_i32(x->odd[chunk])};
#else
    return (struct lanes){splat_i32(x->all[chunk])};
#endif
}

/* Adds the products of pairs of int16. */
INLINE vector_i32 add_pairs(vector_i32 a, vector_i32 b) {
#if VECTOR_LANES == 16
    return (vector_i32)_mm512_madd_epi16((__m512i)a, (__m512i)b);
#elif VECTOR_LANES == 8
    return (vector_i32)_mm256_madd_epi16((__m256i)a, (__m256i)b);
#else
    return (vector_i32)_mm_madd_epi16((__m128i)a, (__m128i)b);
#endif
}

/* Words of 4 weights, of as many rows as there are lanes. */
INLINE vector_i32 load_words(const void *from) {
    return (vector_i32)load(from);
}

/* Has vectors in registers before what comes behind it, because volatile assembly keeps its order.
 * Under TCG a register is memory: the first instruction that reads two halves as one waits until
 * all before it is done. So all are loaded, and then there is one such wait. */
INLINE void join_loads(void *vectors, const uint32_t count) {
#if VECTOR_LANES == 4
    vector_i32 *words = vectors;
#pragma clang loop unroll(full)
    for (uint32_t i = 0; i < 2 * count; i++)
        __asm__ volatile("" : "+x"(words[i % count]));
#else
    (void)vectors, (void)count;
#endif
}

/* Adds to each lane of sum the products of 4 weights, from -128 to 127, with the activations x; for
 * AVX-512 also 128 times the sum of the activations, which add_bytes_start takes off. */
INLINE vector_i32 add_bytes(vector_i32 sum, vector_i32 weights, struct lanes x) {
#if VECTOR_LANES == 16
    __m512i above = _mm512_xor_si512((__m512i)weights, _mm512_set1_epi8(-128));
    return (vector_i32)_mm512_dpbusd_epi32((__m512i)sum, above, (__m512i)x.all);
#elif VECTOR_LANES == 8
    /* Not 128 more, because two products have to fit into int16. */
    __m256i bytes = (__m256i)weights;
    __m256i products =
        _mm256_maddubs_epi16(_mm256_abs_epi8(bytes), _mm256_sign_epi8((__m256i)x.all, bytes));
    return sum + add_pairs((vector_i32)products, splat_i32(0x00010001));
#else
    /* Two products fit into int16. Under TCG PMADDWD is a call; the instructions here are not. */
    vector_i16 bytes = (vector_i16)weights, x_even = (vector_i16)x.even;
    vector_i16 products = (bytes << 8 >> 8) * x_even + (bytes >> 8) * (vector_i16)x.odd;
    vector_i32 low = (vector_i32)((vector_u32)products << 16), high = (vector_i32)products;
    return sum + ((low >> 16) + (high >> 16));
#endif
}
/* start: -128 times the sum of the activations. */
INLINE vector_i32 add_bytes_start(int32_t start) {
    return VECTOR_LANES == 16 ? splat_i32(start) : (vector_i32){0};
}
