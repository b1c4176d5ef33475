"""SCons tool: sources to LLVM bitcode for the bare machine, and assembly to ELF objects beside it.

The same objects are linked into the kernel and, with another platform layer, into a Linux program.
"""

import os
from typing import Any

from build_options import Options
from SCons.Action import Action

LTO = ["-flto"]
"""Full LTO: one module in the end, for code this small."""

FREESTANDING = ["-nostdlibinc", "-fno-unwind-tables", "-fno-asynchronous-unwind-tables", "-fno-math-errno"]

CODE_GENERATION = [
    "-fno-pic",
    "-mno-red-zone",  # an interrupt may use the stack below RSP
    "-fno-omit-frame-pointer",  # backtraces walk RBP
    "-fno-stack-protector",
    "-fno-common",
    "-ffp-contract=off",  # the same float results with and without FMA
    "-ffunction-sections",
    "-fdata-sections",
]

FRAME_FROM_THE_BEGINNING = ["-mllvm", "-enable-shrink-wrap=false"]
"""A function has its frame from its first instruction on, for backtraces (kernel_lib/debug/unwind.c)."""

WIDTH_OPTIONS: dict[str, tuple[str, ...]] = {
    "sse2": (),
    "avx2": ("-mavx2", "-mf16c"),
    "avx512": (
        "-mavx512f",
        "-mavx512bw",
        "-mavx512dq",
        "-mavx512vl",
        "-mavx512vnni",
        "-mprefer-vector-width=512",
    ),
}
"""The vector widths that tinyllama/kernels/kernels.c can be compiled for, and the compiler's options."""

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Werror"]


def debug_options(env: Any) -> list[str]:
    """The compiler's options for debug=1. They change no instruction."""
    return ["-g"] if env["debug"] else []


def options_of_width(name: str) -> tuple[str, ...]:
    """What kernels.c is compiled with for a vector width."""
    return (f"-DKERNELS_SUFFIX={name}", *WIDTH_OPTIONS[name])


def _objects(env: Any, sources: list[Any], suffix: str = "", options: tuple[str, ...] = ()) -> list[Any]:
    """Bitcode (.c, .cpp) or ELF objects (.asm) of the sources, below $SHARED/obj.

    suffix is for several objects that are made of one source with different options.
    """
    made = []
    for source in map(env.File, sources):
        stem, extension = os.path.splitext(source.path)
        node = env.File(f"$SHARED/obj/{stem}{suffix}{'.o' if extension == '.asm' else '.bc'}")
        made.append(node)
        if node.has_builder():
            continue  # the image and the Linux program share it
        if extension == ".asm":
            env.Object(node, source)
            env.Depends(node, env["TOOL_VERSION"]["AS"])
        else:
            level = env["VARIANT"].optimisation_of(source.path)
            flags = [*env["CCFLAGS"], *level.split(), *options, *debug_options(env)]
            env.Object(node, source, CCFLAGS=flags)
            env.Depends(node, [env["TOOL_VERSION"]["CC"], *env["LIBC_HEADERS"]])
    return made


def _sources(env: Any, places: list[str]) -> list[Any]:
    """The C, C++ and assembly files of folders, and files named one by one, in a fixed order."""
    found = []
    for place in places:
        if os.path.splitext(place)[1]:
            found.append(env.File(f"#{place}"))
            continue
        for pattern in ("*.c", "*.cpp", "*.asm"):
            found += sorted(env.Glob(f"#{place}/{pattern}"), key=str)
    return found


def _archive(env: Any, target: str, objects: list[Any]) -> Any:
    """An archive of bitcode: a link takes those objects of it that the program reaches."""
    archive = env.File(target)
    if not archive.has_builder():  # several programs share it
        step = env.Step("$LLVM_AR qcsD $TARGET $SOURCES", "AR")  # q: several have the same name
        env.Command(archive, objects, [Action("rm -f $TARGET", None), step])
    return archive


def options(opts: Options) -> None:
    opts.add_switch("debug", "what debuggers need, beside the image, in build/ARCH/VARIANT-debug")


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.Replace(
        CFLAGS=["-std=gnu17"],
        CXXFLAGS=["-std=c++17", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"],
        CCFLAGS=["$TARGET_FLAGS", *LTO, *FREESTANDING, *CODE_GENERATION, *WARNINGS],
        CPPPATH=["#", "#kernel_lib/cpu/$arch"],
        CCCOMSTR=env.Quiet("CC", "$SOURCE"),
        CXXCOMSTR=env.Quiet("CXX", "$SOURCE"),
        LIBC_HEADERS=[],
        STATIC_AND_SHARED_OBJECTS_ARE_THE_SAME=1,
    )
    env.AddMethod(_objects, "BitcodeObjects")
    env.AddMethod(_archive, "BitcodeArchive")
    env.AddMethod(_sources, "SourcesIn")
