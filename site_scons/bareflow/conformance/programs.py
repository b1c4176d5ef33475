"""What is run: programs of others, each with what it needs to be compiled."""

import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from bareflow.errors import BareFlowError

TORTURE = "gcc.c-torture"
LLVM = "llvm/ExecutionEngine"
LIBC = "llvm-libc"
CSMITH = "csmith"
SUITES = (TORTURE, LLVM, LIBC, CSMITH)

_OPTIONS = re.compile(r'\{ dg-(?:additional-)?options (?:\{ )?"([^"]*)"(?P<where>[^}]*)\}')
_KEPT_OPTIONS = ("-fwrapv", "-std=", "-fno-strict-aliasing", "-fgnu89-inline", "-D", "-funsigned-char")
"""Of the options that gcc's tests ask for, those that change what a program means."""
_COMMANDS = re.compile(r"^; RUN: (.*)$", re.MULTILINE)
_UNIT_TEST = "CmakeFilePath FEnvSafeTest LibcTest LibcTestMain MemoryMatcher RoundingModeUtils TestLogger"
_FRAMEWORK = (
    "src/errno/libc_errno.cpp",
    "src/__support/StringUtil/error_to_string.cpp",
    *(f"test/UnitTest/{name}.cpp" for name in _UNIT_TEST.split()),
)
"""Below libc."""


@dataclass(frozen=True)
class Program:
    """One program of a suite."""

    suite: str
    name: str
    sources: tuple[Path, ...]
    flags: tuple[str, ...] = ()
    not_applicable: str = ""
    """Why it is not run; empty: it is."""
    shared: tuple[Path, ...] = ()
    """Of the sources, those that all programs of the suite have."""


def _torture_flags(text: str) -> tuple[str, ...]:
    found: list[str] = []
    for match in _OPTIONS.finditer(text):
        if "target" not in match["where"]:
            found += [flag for flag in shlex.split(match[1]) if flag.startswith(_KEPT_OPTIONS)]
    return tuple(found)


def torture(folder: Path) -> list[Program]:
    """gcc's programs: each ends with status 0, or calls abort."""
    made = []
    for source in sorted(folder.rglob("*.c")):
        if source.name.endswith("-lib.c") or source.parent.name == "lib":
            continue
        sources = [source]
        if source.parent.name == "builtins":
            sources += [source.with_name(f"{source.stem}-lib.c"), source.parent / "lib" / "main.c"]
        flags = _torture_flags(source.read_text(errors="replace"))
        name = str(source.relative_to(folder).with_suffix(""))
        made.append(Program(TORTURE, name, tuple(path for path in sources if path.exists()), flags))
    return made


def llvm_ir(folder: Path) -> list[Program]:
    """LLVM's .ll files that lli runs as they are."""
    made = []
    for source in sorted(folder.rglob("*.ll")):
        text = source.read_text(errors="replace")
        runs = [command for command in _COMMANDS.findall(text) if re.search(r"%lli\b", command)]
        why = ""
        if not runs:
            why = "tests another tool than lli"
        elif any("not " in command or "-extra-" in command for command in runs):
            why = "tests an error of lli, or its options for further modules"
        elif re.search(r'^target triple = "(?!x86_64)', text, re.MULTILINE):
            why = "is for another machine"
        elif not re.search(r"^define\b[^\n]*@main\(", text, re.MULTILINE):
            why = "has no main"
        name = str(source.relative_to(folder).with_suffix(""))
        made.append(Program(LLVM, name, (source,), not_applicable=why))
    return made


def libc_tests(folder: Path, functions: Iterable[str], ours: Path) -> list[Program]:
    """LLVM-libc's unit tests of these functions (files below libc/src), in its own framework. ours: a folder
    with what that needs besides, and with headers in place of LLVM-libc's."""
    test = folder / "test"
    framework = [ours / "support.cpp", *(folder / name for name in _FRAMEWORK)]
    made = []
    for function in sorted(functions):
        path = Path(function)
        if path.parts[0] == "__support":
            continue  # its inside, which programs do not call
        # Those of mathematics without MPFR.
        place = Path("math/smoke") if path.parts[0] == "math" else Path(path.parts[0])
        source = test / "src" / place / f"{path.stem}_test.cpp"
        if source.exists():
            name = str(source.relative_to(test / "src").with_suffix(""))
            flags = tuple(f"-I{place}" for place in (ours, folder, folder / "include"))
            made.append(Program(LIBC, name, (source, *framework), flags, shared=tuple(framework)))
    return made


def csmith(count: int, folder: Path) -> list[Program]:
    """Programs that csmith makes of the seeds 1 to count, when they are generated."""
    flags = ("-I/usr/include/csmith",)
    return [Program(CSMITH, str(seed), (folder / f"{seed}.c",), flags) for seed in range(1, count + 1)]


def generate(program: Program) -> None:
    """Writes the source of a program of csmith's, if it is not there."""
    (source,) = program.sources
    if source.exists():
        return
    # It also leaves a file where it is called.
    command = ["csmith", "--seed", program.name]
    result = subprocess.run(command, cwd=source.parent, capture_output=True, text=True, check=False)
    if result.returncode:
        raise BareFlowError(f"csmith --seed {program.name}: {result.stderr.strip()}")
    source.write_text(result.stdout)


def excluded(programs: Iterable[Program], file: Path) -> list[Program]:
    """The same, with the reasons that a file gives for not running some."""
    reasons = tomllib.loads(file.read_text())
    made = []
    for program in programs:
        why = reasons.get(program.suite, {}).get(program.name)
        made.append(replace(program, not_applicable=why) if why else program)
    return made
