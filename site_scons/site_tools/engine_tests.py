"""SCons tool: tests of the JIT engine on this machine, with LLVM as a shared library.

Without sanitizers: the engine looks through the whole stack for addresses, and runs code that no compiler has
instrumented.
"""

import subprocess
from pathlib import Path
from typing import Any

from engine import PRECOMPILED, TARGET, WARNINGS
from host_tests import _sources_of, passed

FLAGS = ["-std=c++17", "-g", "-O1", "-fno-exceptions", "-fno-omit-frame-pointer", "-ffp-contract=off"]
ENGINE = ("kernel_lib/jit/engine", "kernel_lib/debug/code_ranges.c", "kernel_lib/error.c")
NOT_ON_LINUX = ("start.cpp",)


def _config(env: Any, *options: str) -> list[str]:
    command = [env["LLVM_CONFIG"], *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def _objects(env: Any, sources: list[Any]) -> list[Any]:
    flags = [*TARGET, *FLAGS, *WARNINGS, "-isystem", *_config(env, "--includedir")]
    header = env.PrecompiledHeader("$HOST_BUILD/engine/engine.pch", PRECOMPILED, flags)
    made = []
    for source in sources:
        target = f"$HOST_BUILD/engine/{Path(source.path).with_suffix('.o')}"
        if source.path.endswith(".cpp"):
            node = env.ObjectWithHeader(target, source, header, flags)
        else:
            node = env.Object(target, source)
        env.Depends(node, env["TOOL_VERSION"]["CC"])
        made += node
    return made


def _engine_tests(env: Any, tests: list[Any], others: dict[str, list[Any]]) -> list[Any]:
    """Nodes that are up to date when the tests have passed. others: a test's name to further objects of it.

    The engine is linked like a library: a part of it that a test replaces is left out.
    """
    engine = _objects(
        env, [source for source in env.SourcesIn(list(ENGINE)) if source.name not in NOT_ON_LINUX]
    )
    libraries = [f"-L{_config(env, '--libdir')[0]}", *_config(env, "--link-shared", "--libs")]
    command = (
        f"$CXX {' '.join(TARGET[:2])} -no-pie $LD_PATH $OBJECTS "
        f"-Wl,--start-lib $ENGINE -Wl,--end-lib {' '.join(libraries)} -o $TARGET"
    )
    made = []
    for test in tests:
        objects = _objects(env, [test, *_sources_of(env, test)]) + others.get(test.name, [])
        program = env.Command(
            f"$HOST_BUILD/engine/{Path(test.name).stem}",
            [*objects, *engine],
            env.Step(command, "LINK"),
            OBJECTS=objects,
            ENGINE=engine,
        )
        env.Depends(program, [env["TOOL_VERSION"]["LD"], env["TOOL_VERSION"]["LLVM_CONFIG"]])
        made.append(passed(env, program[0]))
    return made


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_engine_tests, "EngineTests")
