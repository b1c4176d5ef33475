"""SCons tool: tests of a variant's LLVM-libc on this machine, beside the machine's own C library.

What is tested is the archive that is linked into the image, compiled to native code; a prefix to its names
keeps it apart from the other library. Without sanitizers: they would test the other library's functions.
"""

from pathlib import Path
from typing import Any

from host_tests import passed

PREFIX = "own_"
FLAGS = ["-g", "-O1", "-fno-builtin", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-Wno-format-nonliteral"]


def _libc_tests(env: Any, tests: list[Any], shared: list[Any]) -> list[Any]:
    """Nodes that are up to date when the tests have passed for the archive of env's variant. shared: sources
    that every test is linked with."""
    base = "$BUILD/libc_tests"
    levels = " ".join(env["VARIANT"].lto)
    link = env.Step(f"$LD -r {levels} --whole-archive $SOURCE -o $TARGET", "LTO")
    compiled = env.Command(f"{base}/libc.o", env["LIBC"], link)
    rename = env.Step(f"$LLVM_OBJCOPY --prefix-symbols={PREFIX} $SOURCE $TARGET", "RENAME")
    own = env.Command(f"{base}/own_libc.o", compiled, rename)
    host = env.HostEnvironment()
    defines = [name for names in env["VARIANT"].libc_defines.values() for name in names]
    defines += ["WITH_GLIBC_ABI"] if env["VARIANT"].glibc_abi else []
    host.Replace(CCFLAGS=FLAGS, CPPDEFINES=defines)
    objects = {
        source: host.Object(f"{base}/{Path(source.name).stem}.o", source) for source in [*tests, *shared]
    }
    made = []
    for test in tests:
        parts = [*objects[test], *(node for source in shared for node in objects[source]), *own]
        command = f"$CC -no-pie --ld-path={host.WhereIs('$LD')} $SOURCES -lm -o $TARGET"
        program = host.Command(f"{base}/{Path(test.name).stem}", parts, host.Step(command, "LINK"))
        made.append(passed(host, program[0]))
        host.Depends([*objects[test], *program], [env["TOOL_VERSION"]["CC"], env["TOOL_VERSION"]["LD"]])
    env.Depends([*compiled, *own], env["TOOL_VERSION"]["LD"])
    return made


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_libc_tests, "LibcTests")
