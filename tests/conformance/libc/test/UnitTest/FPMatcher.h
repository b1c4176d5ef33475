/*
 * LLVM-libc's header, without the modes in which the processor takes denormal numbers for zeros or
 * makes zeros of them. C has no such modes, and our library's configuration, which leaves a slow
 * last step out, gives other numbers in them.
 */
#pragma once
#include_next "test/UnitTest/FPMatcher.h"
#undef LIBC_TEST_FTZ_DAZ
