"""SCons tool: programs of this machine that are linked with the engine's own objects, and so treat the
application's bitcode as the engine does (site_scons/engine_programs)."""

from pathlib import Path
from typing import Any

from engine import TARGET, shared_libraries

KERNEL_LIB = (
    "kernel_lib/jit/store/profile_parse.c",
    "kernel_lib/jit/store/function_names.c",
    "kernel_lib/jit/values.c",
    "kernel_lib/cpu/instruction_sets.c",
    "kernel_lib/cpu/features.c",
    "kernel_lib/crc32.c",
    "kernel_lib/error.c",
    "kernel_lib/io/format.c",
)
"""What the exporter calls of it."""
SHARED = ("site_scons/engine_programs/prepare.cpp",)
"""What several of these programs call."""


def _engine_program(env: Any, name: str) -> Any:
    """The program of this name. env: the environment whose engine it gets. Declared once: it knows nothing of
    the application."""
    folder = "$ENGINE/engine_programs"
    program = env.File(f"{folder}/{name}")
    if program.has_builder():
        return program
    source = env.File(f"#site_scons/engine_programs/{name}.cpp")
    engine = [node for node in env.EngineObjects() if node.path.endswith(".o")]
    objects = list(env.ObjectsLikeEngine([source, *env.SourcesIn(SHARED)]))
    compile_it = env.Step("$CC -O2 -std=gnu17 -I. -Wall -Wextra -c $SOURCE -o $TARGET", "CC")
    for path in KERNEL_LIB:
        node = env.File(f"{folder}/{Path(path).with_suffix('.o')}")
        if not node.has_builder():
            env.Command(node, f"#{path}", compile_it)
            env.Depends(node, env["TOOL_VERSION"]["CC"])
        objects.append(node)
    command = (
        f"$CXX {' '.join(TARGET[:2])} -no-pie $LD_PATH $OBJECTS "
        f"-Wl,--start-lib $OF_ENGINE -Wl,--end-lib {' '.join(shared_libraries(env))} -o $TARGET"
    )
    env.Command(program, [*objects, *engine], env.Step(command, "LINK"), OBJECTS=objects, OF_ENGINE=engine)
    env.Depends(program, [env["TOOL_VERSION"]["LD"], env["TOOL_VERSION"]["LLVM_CONFIG"]])
    return program


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_engine_program, "EngineProgram")
