"""native: everything compiled ahead of time and optimised as one program; no interpreter, no JIT."""

from bareflow.model_program import MODEL_PROGRAM
from bareflow.variant import Variant

VARIANT = Variant(
    summary="compiled ahead of time, optimised as one program",
    architectures=["x86_64", "i386"],
    app=MODEL_PROGRAM.sources,
    kernel_lib=[
        "kernel_lib",
        "kernel_lib/config",
        "kernel_lib/coverage",
        "kernel_lib/cpu",
        "kernel_lib/cpu/$arch",
        "kernel_lib/cxx",
        "kernel_lib/debug",
        "kernel_lib/io",
        "kernel_lib/jit/aot",
        "kernel_lib/jit/timers.c",
        "kernel_lib/life",
        "kernel_lib/memory",
        "kernel_lib/pci",
        "kernel_lib/platform",
        "kernel_lib/platform/bare",
        "kernel_lib/storage",
        "kernel_lib/storage/fat",
    ],
    linux=[
        "kernel_lib/config/config.c",
        "kernel_lib/config/unknown_keys.c",
        "kernel_lib/cpu/features.c",
        "kernel_lib/cpu/instruction_sets.c",
        "kernel_lib/coverage/application.c",
        "kernel_lib/crc32.c",
        "kernel_lib/error.c",
        "kernel_lib/io/format.c",
        "kernel_lib/io/json_format.c",
        "kernel_lib/io/utf8.c",
        "kernel_lib/io/character_width.c",
        "kernel_lib/jit/aot",
        "kernel_lib/cxx",
        "kernel_lib/jit/timers.c",
        "kernel_lib/life/fitness.c",
        "kernel_lib/life/made_from.c",
        "kernel_lib/memory/free_lists.c",
        "kernel_lib/memory/heap.cpp",
        "kernel_lib/memory/malloc.c",
        "kernel_lib/memory/libc_os.c",
        "kernel_lib/platform",
        "kernel_lib/platform/linux",
        "kernel_lib/program.c",
        "kernel_lib/small_floats.c",
    ],
    optimisation={
        # Most code runs once or waits for devices; what counts is how much there is to read from disk.
        "": "-Oz",
        **MODEL_PROGRAM.optimisation,
        "llvm-libc/string": "-O2",
        "llvm-libc/string/str": "-Oz",
    },
    libc_defines={
        "stdio": [
            "LIBC_COPT_PRINTF_DISABLE_FLOAT",
            "LIBC_COPT_PRINTF_DISABLE_INDEX_MODE",
            "LIBC_COPT_PRINTF_DISABLE_WRITE_INT",
        ],
        "stdlib": [
            "LIBC_QSORT_IMPL=LIBC_QSORT_HEAP_SORT",  # quicksort is there four times, by the element's size
            "LIBC_COPT_STRTOFLOAT_DISABLE_EISEL_LEMIRE",
        ],
    },
    lto=[
        "--lto-O2",
        # The end of a function that has none, such as a loop without end and effect, is an exception there.
        "-mllvm -trap-unreachable",
        "-mllvm -no-trap-after-noreturn",
        # What compresses better, and takes no more instructions for a token: docs/measurements/native-size.md
        "-mllvm -disable-machine-licm",
        "-mllvm -enable-misched=0",
        "-mllvm -enable-pre=false",
        "-mllvm -grow-region-complexity-budget=0",
        "-mllvm -split-spill-mode=size",
    ],
    takes_profile=True,
    compression="streams",
)
