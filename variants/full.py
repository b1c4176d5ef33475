"""full: LLVM inside the image. The application is bitcode that is interpreted at first; what is called often
is compiled, for this CPU and this workload, while it runs."""

from bareflow.variant import Variant

VARIANT = Variant(
    summary="interpreted, profiled and compiled while it runs",
    architectures=["x86_64"],
    app=["tinyllama"],
    kernel_lib=[
        "kernel_lib",
        "kernel_lib/cpu",
        "kernel_lib/io",
        "kernel_lib/jit",
        "kernel_lib/memory",
        "kernel_lib/removed",
        "kernel_lib/storage",
        "kernel_lib/platform/bare.c",
    ],
    linux=[
        "kernel_lib/cpu/features.c",
        "kernel_lib/crc32.c",
        "kernel_lib/error.c",
        "kernel_lib/jit",
        "kernel_lib/memory/free_lists.c",
        "kernel_lib/memory/heap.cpp",
        "kernel_lib/memory/malloc.c",
        "kernel_lib/memory/libc_os.c",
        "kernel_lib/platform/linux.c",
        "kernel_lib/platform/linux_build_id.c",
        "kernel_lib/platform/linux_memory.c",
        "kernel_lib/platform/linux_start.c",
        "kernel_lib/platform/linux_terminal.c",
        "kernel_lib/whole_file.c",
    ],
    optimisation={
        "": "-O2",
        # As the front end makes it: what passes it needs, the JIT runs, on each level its own.
        # Inline functions are part of their callers from the start: a call is a step that is profiled.
        "tinyllama": "-O2 -Xclang -disable-llvm-passes '-Dinline=__attribute__((always_inline))__inline__'",
    },
    libc_defines=[],
    lto=["--lto-O2"],
    compression=12,  # a tenth larger than at 19, in a tenth of the time
    engine=["kernel_lib/jit/llvm"],
    llvm=["jitlink", "interpreter", "native", "passes", "bitreader", "bitwriter"],
    glibc_abi=["llvm-libc/glibc_abi"],
    # Variables out of memory and into registers, and the plainest tidying: nearly half as many instructions
    # to interpret. Nothing that crosses a function's border or changes a loop.
    embedded_passes="always-inline,function(sroa,early-cse,simplifycfg)",
    stack_size="1M",
)
