/*
 * LLVM-libc includes <immintrin.h> for a few SSE and AVX intrinsics; the whole header costs 0.3 s a
 * file. What a baseline x86-64 build uses is in these two.
 */
#pragma once
#include <emmintrin.h>
#ifdef __SSE4_1__
#include <smmintrin.h>
#endif
#ifdef __AVX__
#include_next <immintrin.h>
#endif
