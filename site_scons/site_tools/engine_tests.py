"""SCons tool: tests of full's JIT engine on this machine, with LLVM as a shared library.

They are linked with the engine's objects as the image has them, so without sanitizers: the engine looks
through the whole stack for addresses, and runs code that no compiler has instrumented.
"""

from pathlib import Path
from typing import Any

from engine import TARGET, shared_libraries
from host_tests import _sources_of, passed

KERNEL_LIB = ["kernel_lib/debug/code_ranges.c", "kernel_lib/error.c", "kernel_lib/io/format.c"]
"""What the engine calls of it."""


def _engine_tests(env: Any, tests: list[Any], full: Any, others: dict[str, list[Any]]) -> list[Any]:
    """Nodes that are up to date when the tests have passed. full: that variant's environment; others: a
    test's name to further objects of it.

    The engine is linked like a library: a part of it that a test replaces is left out.
    """

    def objects_of(sources: list[Any]) -> list[Any]:
        cpp = [source for source in sources if source.path.endswith(".cpp")]
        made = list(full.ObjectsLikeEngine(cpp))
        for source in sources:
            if source not in cpp:
                made += env.Object(f"$HOST_BUILD/engine/{Path(source.path).with_suffix('.o')}", source)
                env.Depends(made[-1], env["TOOL_VERSION"]["CC"])
        return made

    engine = [node for node in full.EngineObjects() if node.path.endswith(".o")]
    engine += objects_of(env.SourcesIn(KERNEL_LIB))
    libraries = shared_libraries(env)
    command = (
        f"$CXX {' '.join(TARGET[:2])} -no-pie $LD_PATH $OBJECTS "
        f"-Wl,--start-lib $ENGINE -Wl,--end-lib {' '.join(libraries)} -o $TARGET"
    )
    made = []
    for test in tests:
        objects = objects_of([test, *_sources_of(env, test)]) + others.get(test.name, [])
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
