"""Programs compiled for this machine, and to the bitcode that `full` takes."""

import json
import re
import subprocess
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path

from bareflow.conformance.programs import LIBC, Program
from bareflow.engine.assembly import AssemblyError, check_no_assembly
from bareflow.engine.host_symbols import symbols
from bareflow.llvm import llvm_tool

OLD_C = [
    "-w",
    "-Wno-override-module",  # LLVM's files are for other systems
    "-U__OPTIMIZE__",  # some programs only link when calls have been optimised away
    *(
        f"-Wno-error={name}"
        for name in (
            "implicit-int",
            "implicit-function-declaration",
            "int-conversion",
            "incompatible-pointer-types",
            "return-mismatch",
        )
    ),
]
"""gcc's programs are of C89 in part."""
LIMIT = 600.0
_ERROR = re.compile(r"error: (.*)$", re.MULTILINE)
_LINKERS = {"_GLOBAL_OFFSET_TABLE_"}
_SHARED = threading.Lock()
_DECLARATION = re.compile(r"declare [^@]*@(?P<function>\w+)\(|@(?P<variable>\w+) = external ")
_INTERNAL = re.compile(r"@_ZN11__llvm_libc(\d+)(\w+)")
_FILE_NAME = re.compile(r'\bAPPEND_LIBC_TEST\(\s*"([^"]*)"\s*\)')


class NotCompiled(Exception):
    """A compiler has refused a program; the message is its first error."""


@dataclass(frozen=True)
class Toolchain:
    """What the build says about ordinary programs of `full`."""

    cflags: list[str]
    cxxflags: list[str]
    plugin: Path
    """Of opt, for one of the passes."""
    passes: str
    main: Path
    """Bitcode of what calls a program's main."""
    host_symbols: frozenset[str]
    """What a program may call."""

    @staticmethod
    def read(description: Path) -> "Toolchain":
        """Of the file that the build writes."""
        said = json.loads(description.read_text())
        names = re.findall(r'\.asciz "([^"]*)"', Path(said["host_symbols"]).read_text())
        plugin, main = Path(said["plugin"]), Path(said["main"])
        return Toolchain(said["cflags"], said["cxxflags"], plugin, said["passes"], main, frozenset(names))

    def bitcode(self, program: Program, folder: Path) -> Path:
        """Compiles a program to program.bc in the folder. What several programs have in common is compiled
        once, and kept beside the folder."""
        parts = []
        for number, source in enumerate(program.sources):
            parts.append(folder / f"{number}.bc")
            if source in program.shared:
                parts[-1] = folder.parent / f"shared-{source.stem}.bc"
                with _SHARED:
                    if not parts[-1].exists():
                        self._compile(program, source, parts[-1])
            else:
                self._compile(program, source, parts[-1])
        linked, made = folder / "linked.bc", folder / "program.bc"
        _run(["llvm-link", "--suppress-warnings", *map(str, [*parts, self.main]), "-o", str(linked)])
        if program.suite == LIBC:
            linked = self._with_c_names(linked, folder / "linked.ll")
        options = [f"-load-pass-plugin={self.plugin}", f"-passes={self.passes}"]
        _run(["opt", *options, str(linked), "-o", str(made)])
        return made

    def _compile(self, program: Program, source: Path, made: Path) -> None:
        flags = self.cxxflags if source.suffix == ".cpp" else [*self.cflags, *OLD_C]
        if program.suite == LIBC:
            flags = [*flags, f"-iquote{source.parent}"]
            copy = made.with_suffix(source.suffix)
            copy.write_text(with_short_names(source.read_text()))
            source = copy
        _run(["clang", "-c", *flags, *program.flags, str(source), "-o", str(made)])

    def _with_c_names(self, bitcode: Path, made: Path) -> Path:
        """The module's text, in which LLVM-libc's functions have their names of C, not those of C++."""
        _run(["opt", "-S", "-passes=", str(bitcode), "-o", str(made)])
        undefined = symbols(llvm_tool("llvm-nm"), bitcode).undefined

        def c_name(match: re.Match[str]) -> str:
            name = match[2][: int(match[1])]
            return f"@{name}" if match[0][1:] in undefined and name in self.host_symbols else match[0]

        made.write_text(declared_once(_INTERNAL.sub(c_name, made.read_text())))
        return made

    def refusal(self, bitcode: Path) -> str:
        """Why `full` does not take it: what it calls that is not there; assembly. Empty: it does."""
        try:
            check_no_assembly(llvm_tool("opt"), bitcode)
        except AssemblyError:
            return "has inline assembly"
        found = symbols(llvm_tool("llvm-nm"), bitcode)
        missing = sorted(found.undefined - found.weak - self.host_symbols - _LINKERS)
        return f"needs {', '.join(missing)}" if missing else ""


def with_short_names(source: str) -> str:
    """A test of LLVM-libc's whose files have names that the machine's disk takes, each its own."""

    def short(match: re.Match[str]) -> str:
        return f'"/{zlib.crc32(match[1].encode()):08X}.TST"'

    return _FILE_NAME.sub(short, source)


def declared_once(module: str) -> str:
    """A module's text, in which the framework and a test may both declare a function or variable."""
    known: set[str] = set()
    lines = []
    for line in module.splitlines():
        found = _DECLARATION.match(line)
        name = found and (found["function"] or found["variable"])
        if not name or name not in known:
            lines.append(line)
        if name:
            known.add(name)
    return "\n".join(lines) + "\n"


def host_program(program: Program, folder: Path) -> Path:
    """Compiles a program for this machine, without optimisation."""
    made = folder / "host"
    options = ["-O0", "-ffp-contract=off", *OLD_C, *program.flags]
    _run(["clang", *options, *map(str, program.sources), "-lm", "-o", str(made)])
    return made


def _run(command: list[str]) -> None:
    tool = [llvm_tool(command[0]), *command[1:]]
    result = subprocess.run(tool, capture_output=True, text=True, timeout=LIMIT, check=False)
    if result.returncode:
        found = _ERROR.search(result.stderr)
        raise NotCompiled(
            found[1] if found else (result.stderr.strip() or "no message").splitlines()[0][:200]
        )
