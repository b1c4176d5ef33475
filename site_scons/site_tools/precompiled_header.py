"""SCons tool: a header of headers from outside the project, compiled once for all sources that include these.

Reading LLVM's headers, and instantiating their templates, is most of what compiling a short source costs.
The objects are the same bytes with and without, so they do not depend on the precompiled header's content,
which holds absolute paths.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any

OPTIONS = ["-fpch-instantiate-templates", "-Xclang", "-fno-pch-timestamp"]
_INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)


def _precompiled_header(env: Any, target: str, header: str, flags: list[str]) -> Any:
    """A node: the header as C++ that is compiled with these flags."""
    made, dependencies = env.File(target), env.File(f"{target}.d")
    if made.has_builder():
        return made  # several kernels share it
    _remove_if_outdated(Path(made.abspath), Path(dependencies.abspath))
    command = "$CXX $CCFLAGS $_CCCOMCOM -x c++-header $SOURCE -MD -MF ${TARGETS[1]} -o ${TARGETS[0]}"
    step = env.Step(command, "CXX", "$SOURCE")
    nodes = env.Command([made, dependencies], header, step, CCFLAGS=[*flags, *OPTIONS])
    env.Depends(nodes, [env["TOOL_VERSION"]["CC"], env["TOOL_VERSION"]["LLVM_CONFIG"]])
    env.NoCache(nodes)
    return nodes[0]


def _remove_if_outdated(made: Path, dependencies: Path) -> None:
    """Removes a precompiled header that clang would refuse: SCons does not know the headers outside the
    project that are in it."""
    if not (made.is_file() and dependencies.is_file()):
        return
    since = made.stat().st_mtime
    for name in dependencies.read_text().split():
        path = Path(name)
        if path.is_absolute() and not (path.is_file() and path.stat().st_ctime <= since):
            made.unlink()
            return


def _object_with_header(env: Any, target: str, source: Any, precompiled: Any, flags: list[str]) -> Any:
    """An object of a C++ source, compiled with the flags, and with the precompiled header if the source
    includes headers from outside the project at all."""
    if not _includes_others(Path(env.Dir("#").abspath), source.path):
        return env.Object(target, source, CXXFLAGS=[], CCFLAGS=flags)
    # Where it is makes no difference to the object: no part of its signature.
    flags = [*flags, "$(", "-include-pch", precompiled, "$)"]
    node = env.Object(target, source, CXXFLAGS=[], CCFLAGS=flags)
    env.Requires(node, precompiled)
    return node


@cache
def _includes_others(top: Path, name: str) -> bool:
    """Whether a source or header of the project includes headers from outside it, also by way of others."""
    for header in _INCLUDE.findall((top / name).read_text()):
        places = (top, (top / name).parent)
        found = next((place / header for place in places if (place / header).is_file()), None)
        if found is None or _includes_others(top, str(found.relative_to(top))):
            return True
    return False


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_precompiled_header, "PrecompiledHeader")
    env.AddMethod(_object_with_header, "ObjectWithHeader")
