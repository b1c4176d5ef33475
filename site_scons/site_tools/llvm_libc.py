"""SCons tool: LLVM-libc fetched, its public headers made, and its functions compiled to a bitcode archive.

The extracted source changes only with what is committed (every file's hash, and our patches), so one node,
the stamp of the set of files and patches, stands for all its headers.
"""

from pathlib import Path
from typing import Any

from build_options import Options
from SCons.Subst import Literal

COMMON_DEFINES = [
    ("LIBC_NAMESPACE", "__llvm_libc"),
    "LIBC_FULL_BUILD",
    "LIBC_TARGET_OS_IS_BAREMETAL",
    ("LIBC_ERRNO_MODE", "LIBC_ERRNO_MODE_EXTERNAL"),
    ("LIBC_THREAD_MODE", "LIBC_THREAD_MODE_SINGLE"),
]
PUBLIC_NAMES = "LIBC_COPT_PUBLIC_PACKAGING"
"""Gives the functions their C names."""
ARCHIVE_DEFINES = [
    PUBLIC_NAMES,
    "LIBC_COPT_USE_C_ASSERT",  # shims/assert.h
    ("LIBC_QSORT_IMPL", "LIBC_QSORT_QUICK_SORT"),
    ("LIBC_MATH", "'(LIBC_MATH_SKIP_ACCURATE_PASS|LIBC_MATH_NO_ERRNO|LIBC_MATH_NO_EXCEPT)'"),
    "LIBC_COPT_PRINTF_DISABLE_STRERROR",
    ("LIBC_COPT_STRING_LENGTH_IMPL", "element"),
    ("LIBC_COPT_FIND_FIRST_CHARACTER_IMPL", "element"),
]

# What the compiler would otherwise turn back into a call of the function that is being compiled.
_NO_BUILTIN = ["-ffreestanding", "-fno-builtin"]
_NO_BUILTIN_FOLDERS = ("string", "strings", "__support")
# What the compiler calls by itself: for memory, and for intrinsics that have no instruction.
_RUNTIME_FOLDERS = ("math", "string", "strings")
# Elsewhere -fno-builtin would block inlining into the application; only the macro is wanted.
_UNHOSTED = ["-U__STDC_HOSTED__", "-D__STDC_HOSTED__=0", "-Wno-builtin-macro-redefined"]

_PATCHES = "#llvm-libc/patches"
HEADERS, HOSTED_HEADERS = "$BUILD_ROOT/llvm-libc/headers", "$BUILD_ROOT/llvm-libc/headers-hosted"


def _pin(env: Any) -> Any:
    from bareflow.libc.source import load_pin

    return load_pin(Path(env.Dir("#llvm-libc").abspath))


def _extract(target: list[Any], source: list[Any], env: Any) -> None:
    from bareflow.libc.patches import apply_patches, digest, read_patches
    from bareflow.libc.source import find_files, lay_out
    from bareflow.models.user_cache import user_cache

    pin = _pin(env)
    tarball = Path(env["llvm_libc_tarball"]) if env["llvm_libc_tarball"] else None
    files = find_files(pin, tarball, user_cache(), env.Progress)
    patches = read_patches(Path(env.Dir(_PATCHES).abspath))
    stamp = Path(target[0].abspath)
    lay_out(apply_patches(patches, files), stamp.parent)
    stamp.write_text(f"LLVM-libc {pin.version}, files {pin.key}, patches {digest(patches)}\n")


def _source(env: Any) -> list[Any]:
    """The extracted source: the stamp first, then the files that are compiled."""
    pin = _pin(env)
    names = pin.for_programs
    targets = ["$LIBC_SOURCE/stamp", *(f"$LIBC_SOURCE/libc/src/{name}" for name in names)]
    pins = ["#llvm-libc/source.toml", "#llvm-libc/SHA256SUMS", *env.Glob(f"{_PATCHES}/*.patch")]
    nodes = env.Command(targets, pins, env.Step(_extract, "EXTRACT", "LLVM-libc's source"))
    env.NoCache(nodes)
    return list(nodes)


def _headers(env: Any, stamp: Any, *, hosted: bool) -> list[Any]:
    """The public headers, with exactly the functions that the archive or kernel_lib has. hosted: those for
    other programs than tinyllama."""
    pin = _pin(env)
    sources, functions = pin.sources, pin.header_functions
    if hosted:
        sources, functions = pin.for_programs, functions + pin.hosted_functions
    functions = [Path(name).stem for name in sources] + functions
    entries = " ".join(f"-e {name}" for name in functions)
    made = []
    for name in pin.header_names:
        step = env.Step(f"$( $PYTHON $) -B $GENERATOR $HEADER_YAML -o $TARGET {entries}", "HEADER")
        made += env.Command(
            f"{HOSTED_HEADERS if hosted else HEADERS}/{name}.h",
            stamp,
            step,
            GENERATOR=Literal(f"{stamp.dir.path}/libc/utils/hdrgen/main.py"),
            HEADER_YAML=Literal(f"{stamp.dir.path}/libc/include/{name}.yaml"),
        )
    return made


def _defines(chosen: list[str]) -> list[Any]:
    """All macros that the functions are compiled with; those of the variant take the place of others."""
    own = {text.partition("=")[0] for text in chosen}
    named = ((define if isinstance(define, str) else define[0], define) for define in ARCHIVE_DEFINES)
    return [*COMMON_DEFINES, *(define for name, define in named if name not in own), *chosen]


def _objects(env: Any, sources: dict[str, Any], stamp: Any) -> list[Any]:
    """The bitcode of all functions that the variant wants; sources: the nodes by name."""
    pin = _pin(env)
    wanted = set(pin.for_programs if env["HOSTED"] else pin.sources)
    wanted.update(pin.glibc_abi if env["VARIANT"].glibc_abi else [])
    names = [name for name in sources if name in wanted]
    libc = env.Clone()
    # LLVM-libc includes its files from its own root and finds our replacements first.
    libc.Replace(CPPPATH=[], CXXCOMSTR=env.Quiet("CXX", "$SOURCE"))
    includes = ["-Illvm-libc/shims", Literal(f"-I{stamp.dir.path}/libc")]
    shared = [*(flag for flag in env["CCFLAGS"] if not str(flag).startswith("-W")), *includes]
    objects = []
    for name in names:
        special = _NO_BUILTIN if name.startswith(_NO_BUILTIN_FOLDERS) else _UNHOSTED
        level = env["VARIANT"].optimisation_of(f"llvm-libc/{name}")
        defines = env["VARIANT"].libc_defines_of(name)
        folder = "$ENGINE" if defines == env["DECLARED"].libc_defines_of(name) else "$SHARED"
        node = env.File(f"{folder}/obj/llvm-libc/{Path(name).with_suffix('.bc')}")
        objects.append(node)
        if not node.has_builder():  # several programs share it
            flags = [*shared, *level.split(), *special]
            libc.Object(node, sources[name], CCFLAGS=flags, CPPDEFINES=_defines(defines))
            libc.Depends(node, [stamp, env["TOOL_VERSION"]["CC"], env.Glob("#llvm-libc/shims/*.h")])
    runtime = [Path(name).stem for name in names if name.startswith(_RUNTIME_FOLDERS)]
    env["LIBC_RUNTIME"] = [*runtime, *(pin.hosted_functions if env["HOSTED"] else [])]
    return objects


def _llvm_libc_source(env: Any) -> None:
    """Declares the source and the public headers, which all variants share; copies of env know them."""
    stamp, *sources = _source(env)
    env["LIBC_STAMP"] = stamp
    pin = _pin(env)
    env["LIBC_SOURCES"] = dict(zip(pin.for_programs, sources, strict=True))
    env["LIBC_HEADERS"] = [stamp, *_headers(env, stamp, hosted=False)]
    env["HOSTED_LIBC_HEADERS"] = [stamp, *_headers(env, stamp, hosted=True)]


def _llvm_libc(env: Any) -> Any:
    """Declares the variant's archive, which for programs has C++'s library as well; makes the headers known
    to `env`'s compilations."""
    objects = _objects(env, env["LIBC_SOURCES"], env["LIBC_STAMP"])
    if env["HOSTED"]:
        own = env.Glob("#kernel_lib/hosted/include/*.h")
        env["LIBC_HEADERS"] = [*env["HOSTED_LIBC_HEADERS"], *own]
        env.Append(CCFLAGS=["-isystem", "kernel_lib/hosted/include"])
    stamp, *headers = env["LIBC_HEADERS"]
    env.Append(CCFLAGS=["-isystem", headers[0].dir, "-isystem", Literal(f"{stamp.dir.path}/libc/include")])
    env["LIBC_OBJECTS"] = [*objects, *(env.CxxLibraryObjects() if env["HOSTED"] else [])]
    return [env.BitcodeArchive("$SHARED/libc.a", env["LIBC_OBJECTS"])]


def _internals(env: Any) -> Any:
    """A copy of env whose C++ may include LLVM-libc's internal headers, src/__support and the like."""
    inner = env.Clone()
    inner.Append(CPPDEFINES=COMMON_DEFINES)
    libc = Literal(f"{env['LIBC_STAMP'].dir.path}/libc")
    inner.Append(CCFLAGS=["-isystem", "llvm-libc/shims", "-isystem", libc])
    return inner


def options(opts: Options) -> None:
    opts.add_file("llvm_libc_tarball", "LLVM-libc's source instead of Debian's")


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env["LIBC_SOURCE"] = "$BUILD_ROOT/llvm-libc/source"
    env.AddMethod(_llvm_libc_source, "LlvmLibcSource")
    env.AddMethod(_llvm_libc, "LlvmLibc")
    env.AddMethod(_internals, "WithLibcInternals")
