"""SCons tool: LLVM's C++ library for programs: its headers, as the compiler's package archive has them, and
what they leave to a library, which is kernel_lib/hosted/cxx.
"""

import sys
from pathlib import Path
from typing import Any

from SCons.Subst import Literal

SOURCES = "kernel_lib/hosted/cxx"
CONFIGURATION = f"{SOURCES}/include"


def _headers(env: Any) -> Path:
    """The folder with them, beside the compiler."""
    return Path(env.WhereIs(env["CXX"])).resolve().parents[1] / "include/c++/v1"


def _use(env: Any) -> list[str]:
    """The compiler's options for C++ with these headers. They come before those for C's headers."""
    headers = _headers(env)
    if not (headers / "__config").is_file():
        sys.exit(f"bareflow: {headers} has no C++ library; ./bareflow installs what is missing")
    return ["-nostdinc++", "-I", CONFIGURATION, "-isystem", Literal(str(headers))]


def _depend(env: Any, node: Any) -> None:
    """Declares that a node is made with these headers."""
    version = env.fs.File(str(_headers(env) / "__config"))
    env.Depends(node, [version, *env.Glob(f"#{CONFIGURATION}/*")])


def _objects(env: Any) -> list[Any]:
    """Bitcode of the library."""
    cxx = env.Clone(CXXFLAGS=[*env["CXXFLAGS"], *_use(env)])
    made = cxx.BitcodeObjects(cxx.SourcesIn([SOURCES]))
    for node in made:
        _depend(env, node)
    return list(made)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_use, "CxxLibraryOptions")
    env.AddMethod(_depend, "DependOnCxxLibrary")
    env.AddMethod(_objects, "CxxLibraryObjects")
