"""SCons tool: the JIT engine - C++ compiled against LLVM's headers - and the libraries it is linked with.

Both are made for the toolchain's own system: LLVM's archives, and libstdc++ with its headers, come as that
system's objects, which call glibc. llvm-libc/glibc_abi is what they get instead.
"""

import os
import subprocess
import sys
from functools import cache
from typing import Any

from bitcode import FRAME_FROM_THE_BEGINNING, debug_options

TARGET = ["-target", "x86_64-pc-linux-gnu", "-fno-pic", "-mcmodel=small"]
LANGUAGE = [
    "-std=c++17",
    "-fno-exceptions",
    "-fno-threadsafe-statics",
    "-fno-unwind-tables",
    "-fno-asynchronous-unwind-tables",
    "-DNDEBUG",  # as the archives are: it changes classes
]
CODE_GENERATION = [
    "-O2",
    "-fno-omit-frame-pointer",
    *FRAME_FROM_THE_BEGINNING,
    "-fno-stack-protector",
    "-ffunction-sections",
    "-fdata-sections",
    "-ffp-contract=off",
]
WARNINGS = [
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Werror",
    "-Wno-unused-parameter",
    "-Wno-deprecated-declarations",
]
LIBRARIES = ["libstdc++.a", "libz.a", "libzstd.a", "libffi.a", "libgcc.a"]
"""Besides LLVM's. Nobody unwinds a stack, so libgcc_eh is not there."""
PRECOMPILED = "#kernel_lib/jit/engine/precompiled.h"


def _ask(*command: str) -> str:
    """What a program says; the build ends if it fails."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"bareflow: {' '.join(command)} failed: {result.stderr.strip()}")
    return result.stdout.strip()


@cache
def include_folder(llvm_config: str) -> str:
    return _ask(llvm_config, "--includedir")


def _engine_objects(env: Any) -> list[Any]:
    """ELF objects of the engine's C++, each function in a section of its own; bitcode of its C."""
    made = []
    for source in env.SourcesIn(env["VARIANT"].engine):
        is_cpp = source.path.endswith(".cpp")
        made += env.ObjectsLikeEngine([source]) if is_cpp else env.BitcodeObjects([source])
    return made


def _objects_like_engine(env: Any, sources: list[Any]) -> list[Any]:
    """ELF objects of C++ sources, compiled as the engine of this environment's variant is."""
    include = include_folder(env["LLVM_CONFIG"])
    flags = [*TARGET, *LANGUAGE, *CODE_GENERATION, *WARNINGS, "-isystem", include, *debug_options(env)]
    header = env.PrecompiledHeader("$ENGINE/obj/engine.pch", PRECOMPILED, flags)
    made = []
    for source in sources:
        node = env.File(f"$ENGINE/obj/{os.path.splitext(source.path)[0]}.o")
        if not node.has_builder():  # the image, the tests and programs of this machine share it
            env.ObjectWithHeader(node, source, header, flags)
            env.Depends(node, [env["TOOL_VERSION"]["CC"], env["TOOL_VERSION"]["LLVM_CONFIG"]])
        made.append(node)
    return made


def _engine_libraries(env: Any) -> list[Any]:
    """The archives that the engine needs, LLVM's first."""
    if not env["VARIANT"].engine:
        return []
    llvm = _ask(env["LLVM_CONFIG"], "--link-static", "--libfiles", *env["VARIANT"].llvm).split()
    # Asked once for its folders, not for each library: a build that has nothing to do waits for every call.
    said = _ask(env["CXX"], *TARGET[:2], "-print-search-dirs").splitlines()
    folders = next(line for line in said if line.startswith("libraries:")).partition("=")[2].split(os.pathsep)
    others = []
    for name in LIBRARIES:
        paths = (os.path.normpath(f"{folder}/{name}") for folder in folders)
        path = next(filter(os.path.isfile, paths), None)
        if path is None:
            sys.exit(f"bareflow: there is no static {name}; ./bareflow installs what is missing")
        others.append(path)
    return [*map(env.File, [*llvm, *others[:-1]]), env["COMPILER_RUNTIME"], env.File(others[-1])]


def shared_libraries(env: Any) -> list[str]:
    """The linker's options for LLVM as a shared library, for programs of this machine."""
    folder = _ask(env["LLVM_CONFIG"], "--libdir")
    return [f"-L{folder}", *_ask(env["LLVM_CONFIG"], "--link-shared", "--libs").split()]


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_engine_objects, "EngineObjects")
    env.AddMethod(_objects_like_engine, "ObjectsLikeEngine")
    env.AddMethod(_engine_libraries, "EngineLibraries")
