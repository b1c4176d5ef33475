"""SCons tool: sources to LLVM bitcode for the bare machine, and assembly to ELF objects beside it.

The same objects are linked into the kernel and, with another platform layer, into a Linux program.
"""

import os
from pathlib import Path
from typing import Any

from bareflow.source_versions import options_by_suffix
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

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Werror"]


def debug_options(env: Any) -> list[str]:
    """The compiler's options for debug=1. They change no instruction."""
    return ["-g"] if env["debug"] else []


def _objects(env: Any, sources: list[Any], suffix: str = "") -> list[Any]:
    """Bitcode (.c, .cpp) or ELF objects (.asm) of the sources, below $SHARED/obj.

    suffix is for another object that is made of a source with other options.
    """
    made = []
    for source in map(env.File, sources):
        stem, extension = os.path.splitext(source.path)
        extension = ".o" if extension == ".asm" else ".bc"
        for version, options in options_by_suffix(Path(source.srcnode().abspath), env["arch"]).items():
            node = env.File(f"$SHARED/obj/{stem}{version}{suffix}{extension}")
            made.append(node)
            if node.has_builder():
                continue  # the image and the Linux program share it
            if extension == ".o":
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
