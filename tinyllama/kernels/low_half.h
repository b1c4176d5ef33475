/* The lower half of an SSE register as an integer, and back. 32-bit code has no register of 64
 * bits: there it goes through memory. */
#pragma once
#include <immintrin.h>
#include <stdint.h>

#ifdef __x86_64__

#define OPAQUE_INTEGER(value) __asm__("" : "+r"(value))

static inline uint64_t low_half(__m128i v) {
    return (uint64_t)_mm_cvtsi128_si64(v);
}
static inline __m128i from_low_half(uint64_t low) {
    return _mm_cvtsi64_si128((long long)low);
}

#else

#define OPAQUE_INTEGER(value) __asm__("" : "+m"(value))

static inline uint64_t low_half(__m128i v) {
    uint64_t low;
    _mm_storel_epi64((__m128i *)&low, v);
    return low;
}
static inline __m128i from_low_half(uint64_t low) {
    return _mm_loadl_epi64((const __m128i *)&low);
}

#endif
