"""native: everything compiled ahead of time and optimised as one program; no interpreter, no JIT."""

from bareflow.variant import Variant

VARIANT = Variant(
    summary="compiled ahead of time, optimised as one program",
    architectures=["x86_64"],
    app=["tinyllama", "tinyllama/bench", "tinyllama/dialogue", "tinyllama/formats", "tinyllama/kernels"],
    kernel_lib=[
        "kernel_lib",
        "kernel_lib/config",
        "kernel_lib/coverage",
        "kernel_lib/cpu",
        "kernel_lib/cpu/x86_64",
        "kernel_lib/cxx",
        "kernel_lib/debug",
        "kernel_lib/io",
        "kernel_lib/jit/aot",
        "kernel_lib/jit/timers.c",
        "kernel_lib/memory",
        "kernel_lib/platform/bare",
        "kernel_lib/storage",
        "kernel_lib/storage/fat16",
    ],
    linux=[
        "kernel_lib/config/config.c",
        "kernel_lib/config/unknown_keys.c",
        "kernel_lib/cpu/features.c",
        "kernel_lib/crc32.c",
        "kernel_lib/error.c",
        "kernel_lib/io/json_format.c",
        "kernel_lib/io/utf8.c",
        "kernel_lib/io/character_width.c",
        "kernel_lib/jit/aot",
        "kernel_lib/cxx",
        "kernel_lib/jit/timers.c",
        "kernel_lib/memory/free_lists.c",
        "kernel_lib/memory/heap.cpp",
        "kernel_lib/memory/malloc.c",
        "kernel_lib/memory/libc_os.c",
        "kernel_lib/platform/linux",
        "kernel_lib/program.c",
        "kernel_lib/small_floats.c",
    ],
    optimisation={
        # Most code runs once or waits for devices; what counts is how much there is to read from disk.
        "": "-Oz",
        # Once for every weight, or every token.
        "tinyllama/bench/bench_workloads.c": "-O2",
        "tinyllama/kernels/elementwise.c": "-O2",
        "tinyllama/kernels/kernels.c": "-O2",
        "tinyllama/kernels/matrix.c": "-Os",
        "llvm-libc/string": "-O2",
    },
    libc_defines=[
        "LIBC_COPT_PRINTF_DISABLE_FLOAT",
        "LIBC_COPT_PRINTF_DISABLE_INDEX_MODE",
        "LIBC_COPT_STRTOFLOAT_DISABLE_EISEL_LEMIRE",
    ],
    lto=["--lto-O2"],
    compression=19,
)
