"""full: LLVM inside the image. The application is bitcode that is interpreted at first; what is called often
is compiled, for this CPU and this workload, while it runs."""

from dataclasses import replace
from pathlib import Path

from bareflow.trim.trimming import Trimming
from bareflow.variant import load_variant

NATIVE = load_variant(Path(__file__).parent, "native", "x86_64")
JIT = ("kernel_lib/jit", "kernel_lib/jit/policy", "kernel_lib/jit/settle", "kernel_lib/jit/store")
TRIMS_ITSELF = ("kernel_lib/removed", "kernel_lib/life/trim", "boot/unpack")
PACKS_KERNELS = ("kernel_lib/life/trim/branches.c", "kernel_lib/life/trim/kernel_pack.c")
AHEAD_OF_TIME = ("kernel_lib/cxx", "kernel_lib/jit/aot", "kernel_lib/jit/timers.c")


def with_jit(sources: list[str]) -> list[str]:
    """Native's sources with the JIT in place of what stands for it in a program compiled ahead of time, and
    libstdc++ in place of our part of it."""
    return [*JIT, *(source for source in sources if source not in AHEAD_OF_TIME)]


VARIANT = replace(
    NATIVE,
    summary="interpreted, profiled and compiled while it runs",
    architectures=["x86_64"],
    kernel_lib=[*with_jit(NATIVE.kernel_lib), *TRIMS_ITSELF, "kernel_lib/debug/eh_frame"],
    linux=[*with_jit(NATIVE.linux), *PACKS_KERNELS, "kernel_lib/debug/code_ranges.c"],
    optimisation={"": "-O2"},
    # As the front end makes it: what passes it needs, the JIT runs, on each level its own.
    # Inline functions are part of their callers from the start: a call is a step that is profiled.
    app_optimisation="-O2 -Xclang -disable-llvm-passes '-Dinline=__attribute__((always_inline))__inline__'",
    libc_defines={},
    takes_profile=False,
    compression=12,  # a tenth larger than at 19, in a tenth of the time
    engine=["kernel_lib/jit/engine", "kernel_lib/jit/export", "kernel_lib/jit/trim"],
    llvm=[
        "jitlink",
        "interpreter",
        "nativecodegen",
        "bitreader",
        "instcombine",
        "ipo",
        "scalaropts",
        "vectorize",
    ],
    glibc_abi=["llvm-libc/glibc_abi"],
    # Variables out of memory and into registers, and the plainest tidying: nearly half as many instructions
    # to interpret. Nothing that crosses a function's border or changes a loop.
    embedded_passes="always-inline,function(sroa,early-cse,simplifycfg)",
    stack_size="1M",
    # What of itself it does not remove (docs/life.md).
    trimming=Trimming(
        # Interpretation cannot be given up in the middle, as compilation can: a call has begun. What LLVM
        # asks the processor about depends on the processor.
        whole=["libLLVMInterpreter.a", "libLLVMTargetParser.a"],
        # Comparisons run if two entries have the same hash value, or a list has two entries, and analyses ask
        # each other whether they are valid. That depends on addresses, or on what is compiled at the moment.
        # std::sort makes a heap if its partitions are too uneven, and some lists are sorted by address.
        by_chance=[
            "isEqual",
            r"Key\w*eqE",
            "[cC]omparator",
            r"Invalidator\d+invalidate",
            r"St\d+__(make|adjust|push|pop|sort)_heap",
            r"St\d+__(heap_select|partial_sort)",
        ],
    ),
)
