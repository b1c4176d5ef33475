"""SCons tool: C tests and fuzz targets compiled for this machine under sanitizers, and run.

A test is a node: it runs again when anything that it is made of has changed, and not before.
"""

import re
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bareflow.source_versions import options_by_suffix
from build_options import Options
from llvm_libc import COMMON_DEFINES
from SCons.Subst import Literal
from scons_paths import escaped

THIS_MACHINE = "x86_64"
"""What C tests are compiled for, whatever arch= is."""
SANITIZE = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-fno-omit-frame-pointer"]
FLAGS = ["-g", "-O1", "-ffp-contract=off", "-Wall", "-Wextra", "-Wshadow", "-Werror"]
TEST_LIMIT = 120.0
FUZZ_INPUT_LIMIT = 10
"""Seconds after which a test, and one input of a fuzz target, counts as hung."""

_SOURCES = re.compile(r"^// sources:(.*)$", re.MULTILINE)
_LIBRARIES = re.compile(r"^// libraries:(.*)$", re.MULTILINE)
_COMPILE_OPTIONS = re.compile(r"^// compile:(.*)$", re.MULTILINE)
_LINK_OPTIONS = re.compile(r"^// link:(.*)$", re.MULTILINE)
_VERSIONS = re.compile(r"^// versions:(.*)$", re.MULTILINE)
_RUNS = re.compile(r"^// runs: (\d+)$", re.MULTILINE)
_LIBC_PREFIX = "libc/src/"


def _run(target: list[Any], source: list[Any], env: Any) -> int:
    """Runs a program; what it printed becomes the target, and is shown when it failed."""
    command = [source[0].abspath, *env["ARGUMENTS_OF_TEST"]]
    limit = env["LIMIT_OF_TEST"]
    start = time.monotonic()
    try:
        result = subprocess.run(
            command,
            env=env["ENV"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=limit,
        )
        output, status = result.stdout, result.returncode
    except subprocess.TimeoutExpired as hung:
        output = (hung.stdout or b"") + f"\nhung: ended after {limit:.0f} s\n".encode()
        status = 1
    if status:
        log = Path(f"{target[0].abspath}.failed")
        log.write_bytes(output)
        seconds = time.monotonic() - start
        env.Progress(f"{source[0]} failed with status {status} after {seconds:.1f} s:")
        env.Progress(output.decode(errors="replace"))
        return 1
    Path(target[0].abspath).write_bytes(output)
    return 0


def passed(
    env: Any,
    program: Any,
    *,
    label: str = "TEST",
    what: str = "$SOURCE",
    suffix: str = "passed",
    arguments: Sequence[str] = (),
    limit: float = TEST_LIMIT,
) -> Any:
    """A node beside a test's program that is up to date when it has passed. limit: seconds."""
    step = env.Step(_run, label, what)
    target = f"{escaped(program)}.{suffix}"
    node = env.Command(target, program, step, ARGUMENTS_OF_TEST=arguments, LIMIT_OF_TEST=limit)
    env.NoCache(node)
    return node[0]


def _named_sources(env: Any, test: Any) -> list[str]:
    """The files that the `// sources:` lines of a C file name, from the top folder."""
    return " ".join(_SOURCES.findall(test.get_text_contents())).split()


def _sources_of(env: Any, test: Any) -> list[Any]:
    """The files that a test's `// sources:` lines name, with the widths each is compiled for."""
    names = _named_sources(env, test)
    if not names and "// sources:" not in test.get_text_contents():
        sys.exit(f"bareflow: {test.path} has no line `// sources: FILE...` that names what it tests")
    return [
        env.File(f"$LIBC_SOURCE/{name}" if name.startswith(_LIBC_PREFIX) else f"#{name}") for name in names
    ]


def _program(env: Any, test: Any, kind: str, options: list[str], link_options: list[str]) -> Any:
    """Compiles and links one test, with the libraries that its `// libraries:` lines name, and the options of
    its `// compile:` and `// link:` lines. Of sources that are compiled several times it gets all versions,
    or those of its `// versions:` line."""
    text = test.get_text_contents()
    versions = [f"_{name}" for name in " ".join(_VERSIONS.findall(text)).split()]
    options = [*options, *" ".join(_COMPILE_OPTIONS.findall(text)).split()]
    link_options = [*link_options, *" ".join(_LINK_OPTIONS.findall(text)).split()]
    sources = [test, *_sources_of(env, test)]
    inside_libc = any(str(source).endswith(".cpp") for source in sources)
    objects = []
    for source in sources:
        stem = source.path.removeprefix(f"{env.Dir('$BUILD_ROOT').path}/")
        for ending, of_version in options_by_suffix(Path(source.srcnode().abspath), THIS_MACHINE).items():
            if ending and versions and ending not in versions:
                continue
            flags = [*env["CCFLAGS"], *options, *of_version]
            if source.path.startswith(env["LIBC_STAMP"].dir.path):
                flags = [*(flag for flag in flags if not flag.startswith("-W")), "-DLIBC_COPT_USE_C_ASSERT"]
            suffix = f"-{Path(test.name).stem}" if _COMPILE_OPTIONS.search(text) else ""
            node = env.Object(f"$HOST_BUILD/{kind}/{stem}{ending}{suffix}.o", source, CCFLAGS=flags)
            env.Depends(node, env["TOOL_VERSION"]["CC"])
            if inside_libc:
                env.Depends(node, env["LIBC_STAMP"])
            objects += node
    name = Path(test.name).stem
    command = "$CXX" if inside_libc else "$CC"
    libraries = [f"-l{name}" for name in " ".join(_LIBRARIES.findall(text)).split()]
    arguments = " ".join([*link_options, "$LD_PATH"])
    libraries += ["-lm", "$COMPILER_RUNTIME"]
    step = env.Step(f"{command} {arguments} $SOURCES {' '.join(libraries)} -o $TARGET", "LINK")
    program = env.Command(f"$HOST_BUILD/{kind}/{name}", objects, step)
    env.Depends(program, env["TOOL_VERSION"]["LD"])
    return program[0]


def _host_test(env: Any, test: Any) -> Any:
    """A node that is up to date when the test has passed."""
    return passed(env, _program(env, test, "test", SANITIZE, SANITIZE))


def _fuzz(env: Any, test: Any, seconds: int | None = None) -> Any:
    """A node that is up to date when the fuzz target has run without a finding: for this number of seconds,
    or with as many inputs as its line `// runs:` says, which are the same ones each time."""
    sanitize = ["-fsanitize=fuzzer,address,undefined", *SANITIZE[1:]]
    program = _program(env, test, "fuzz", sanitize, sanitize)
    if seconds is None:
        runs = _RUNS.search(test.get_text_contents())
        if not runs:
            sys.exit(f"bareflow: {test.path} has no line `// runs: N` that says how often `test` runs it")
        amount, suffix, what = [f"-runs={runs[1]}", "-seed=1"], "passed", f"{runs[1]} times"
    else:
        amount, suffix, what = [f"-max_total_time={seconds}"], "fuzzed", f"for {seconds} s"
    arguments = [
        *amount,
        f"-timeout={FUZZ_INPUT_LIMIT}",
        "-print_final_stats=1",
        f"-artifact_prefix={program.abspath}.found-",
    ]
    limit = (seconds or 0) + TEST_LIMIT
    what = f"$SOURCE {what}"
    node = passed(env, program, label="FUZZ", what=what, suffix=suffix, arguments=arguments, limit=limit)
    env.Depends(node, env.Value(amount))
    return node


def _host_environment(env: Any) -> Any:
    """A copy of env that compiles for this machine and its own C library."""
    host = env.Clone()
    host.Replace(
        CFLAGS=["-std=gnu17"],
        CXXFLAGS=["-std=c++17"],
        CCFLAGS=FLAGS,
        CPPPATH=["#", "#tests/host", "#kernel_lib/cpu/x86_64"],
        CPPDEFINES=[],
        HOST_BUILD="$BUILD_ROOT/host",
    )
    inside = ["-isystem", "llvm-libc/shims", "-isystem", Literal(f"{env['LIBC_STAMP'].dir.path}/libc")]
    host.Append(CXXFLAGS=[*inside, *_define_options()])
    host.AddMethod(_named_sources, "NamedSources")
    host.AddMethod(_host_test, "HostTest")
    host.AddMethod(_fuzz, "Fuzz")
    return host


def _define_options() -> list[str]:
    pairs = [define if isinstance(define, tuple) else (define, "1") for define in COMMON_DEFINES]
    return [f"-D{name}={value}" for name, value in pairs]


def options(opts: Options) -> None:
    opts.add_number("fuzz_seconds", "fuzz: how long each target runs", 60)


def exists(env: Any) -> bool:
    return True


def generate(env: Any) -> None:
    env.AddMethod(_host_environment, "HostEnvironment")
