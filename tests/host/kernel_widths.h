/* The kernels of every vector width, and which of them this CPU can run. */
#pragma once
#include "tinyllama/kernels/kernels.h"

static const struct kernels *const all_kernels[] = {&kernels_sse2, &kernels_avx2, &kernels_avx512};
#define WIDTHS (sizeof all_kernels / sizeof *all_kernels)

static bool usable(const struct kernels *kernels) {
    if (kernels == &kernels_avx2)
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("f16c");
    if (kernels == &kernels_avx512)
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("avx512vnni");
    return true;
}
