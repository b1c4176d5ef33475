"""What bitcode calls outside of itself: libc's functions that are embedded with it, and the table of host
symbols.

The table (struct jit_host_symbol in kernel_lib/jit/engine/host_symbols.h) gives every name that embedded
bitcode may refer to its address in the kernel, sorted by name.
"""

import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_IGNORED = ("llvm.", ".")


@dataclass(frozen=True)
class Symbols:
    """The global symbols of one object."""

    defined: frozenset[str]
    undefined: frozenset[str]
    weak: frozenset[str] = frozenset()
    """Of the undefined ones, those that are 0 when nobody defines them."""


def symbols_of(nm: str, files: Sequence[Path]) -> list[Symbols]:
    """Reads the global symbols of bitcode or ELF objects, in their order: with one process for all."""
    if not files:
        return []
    command = [nm, "--extern-only", "--format=posix", "--print-file-name", *map(str, files)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    by_file: dict[str, tuple[set[str], set[str], set[str]]]
    by_file = {str(file): (set(), set(), set()) for file in files}
    for line in output.splitlines():
        file, _, symbol = line.rpartition(": ")
        name, letter = symbol.split()[:2]
        if name.startswith(_IGNORED):
            continue
        defined, undefined, weak = by_file[file]
        (undefined if letter in "Uwv" else defined).add(name)
        if letter in "wv":
            weak.add(name)
    return [Symbols(*map(frozenset, by_file[str(file)])) for file in files]


def symbols(nm: str, file: Path) -> Symbols:
    """The same of one file."""
    return symbols_of(nm, [file])[0]


def members_used(nm: str, application: Path, members: Sequence[Path]) -> list[Path]:
    """Those members that define what the application, or another of them, uses; in their own order."""
    by_member = dict(zip(members, symbols_of(nm, members), strict=True))
    provider = {name: member for member, found in by_member.items() for name in found.defined}
    chosen: set[Path] = set()
    pending = sorted(symbols(nm, application).undefined)
    while pending:
        member = provider.get(pending.pop())
        if member and member not in chosen:
            chosen.add(member)
            pending += sorted(by_member[member].undefined)
    return [member for member in members if member in chosen]


def link_bitcode(linker: str, members: Sequence[Path], target: Path) -> None:
    """Makes one module of several."""
    subprocess.run([linker, *map(str, members), "-o", str(target)], check=True)


def host_names(nm: str, application: Path, libc: Path) -> set[str]:
    """What either module leaves undefined, and all that libc's defines: it is called natively."""
    app, own = symbols_of(nm, [application, libc])
    return set((app.undefined | own.undefined | own.defined) - app.defined)


OWN_NAMES = {
    "__assert_fail": "program_assertion_failed",
    "abort": "program_abort",
    "atexit": "program_at_exit",
    "__cxa_atexit": "program_at_exit_with",
    "exit": "program_exit",
}
"""What the application gets for a name that means something else for LLVM: its own calls at the end of the
program are never made, and its errors are the kernel's."""

PROGRAM_NAMES = {
    "__divdc3": "complex_quotient",
    "__divsc3": "complex_quotient_float",
    "__divxc3": "complex_quotient_long",
}
"""What ordinary programs get for functions of the compiler's library."""


COMPLEX_NUMBERS = {f"__{operation}{size}c3" for operation in ("div", "mul") for size in "sdx"}
"""What the front end calls for products and quotients of complex numbers."""


CXX_LIBRARY = ("_ZNSt3__1", "_ZNKSt3__1", "_ZTVNSt3__1", "_ZSt")
"""How names of LLVM's C++ library begin."""
_OPERATORS = "_Znwm _Znam _ZdlPv _ZdaPv _ZdlPvm _ZdaPvm".split()
CXX_RUNTIME = {
    *("__cxa_atexit", "__cxa_guard_acquire", "__cxa_guard_release", "__cxa_pure_virtual", "__dso_handle"),
    "_ZSt7nothrow",
    *_OPERATORS,
    *(f"{name}St11align_val_t" for name in _OPERATORS),
    *(f"{name}RKSt9nothrow_t" for name in _OPERATORS[:2]),
}
"""What C++ needs besides: the operators new and delete, destructors at the program's end, static variables
of functions."""


def called_by_compiled_code(nm: str, operations: Sequence[Path]) -> set[str]:
    """What objects of operations.py's module leave undefined: what the code generator calls by itself."""
    names = frozenset[str]().union(*(found.undefined for found in symbols_of(nm, operations)))
    return {name for name in names if not name.startswith("test_")}


def c_names(nm: str, library: Sequence[Path]) -> set[str]:
    """What the objects of a C library define under names of C, and of LLVM's C++ library; and what both
    languages need besides."""
    if not library:
        return set()
    command = [nm, "--extern-only", "--defined-only", "--format=just-symbols", *map(str, library)]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    own = {
        name
        for name in names
        if name.isidentifier() and (not name.startswith("_Z") or name.startswith(CXX_LIBRARY))
    }
    return own | COMPLEX_NUMBERS | CXX_RUNTIME


def table_source(names: Iterable[str], weak: Iterable[str] = (), own: Mapping[str, str] = OWN_NAMES) -> str:
    """The table as GNU assembler source. Of weak names that nobody defines the address is 0. own: what stands
    for some of the names."""
    ordered = sorted(names, key=str.encode)
    lines = ['.section .rodata.jit_host_symbols, "a", @progbits', ".balign 8"]
    lines += [f".weak {name}" for name in sorted(weak, key=str.encode)]
    lines += [".globl jit_host_symbols, jit_host_symbol_count", "jit_host_symbols:"]
    lines += [f"    .quad .Lname{index}, {own.get(name, name)}" for index, name in enumerate(ordered)]
    lines += [f"jit_host_symbol_count: .quad {len(ordered)}"]
    lines += [f'.Lname{index}: .asciz "{name}"' for index, name in enumerate(ordered)]
    return "\n".join(lines) + "\n"
