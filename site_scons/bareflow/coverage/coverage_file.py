"""The coverage file: which functions of `full` ran, as text that can be committed, compared and merged.

    # bareflow coverage 1
    +17 <tab> libLLVMCore.a(Value.cpp.o) <tab> .text._ZN4llvm5ValueD2Ev <tab> _ZN4llvm5ValueD2Ev
    -   <tab> ...

There is a line for every function symbol of the link, aliases included. `+` means that it ran, and `-` that
it did not. A number behind the `+` is the function's place in the order of first use, where that was
recorded. Then follow file and section as in the link map, and the symbol. A function that ran may have one
more column, `1a2b3c4d 10-2c 40-58`: the parts of it that never ran, as the CRC-32 of the object and
hexadecimal offsets from the function's start, each up to but not including the second. Lines are sorted by
file, section and symbol. Nothing is known about a function that is not in the file.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bareflow.coverage.translated import Stretches, common
from bareflow.errors import BareFlowError

HEAD = "# bareflow coverage 1"
_STRETCH = r"[0-9a-f]+-[0-9a-f]+"
_LINE = re.compile(rf"(?:(\+)(\d*)|-)\t([^\t]+)\t([^\t]+)\t([^\t]+)(?:\t([0-9a-f]{{8}})((?: {_STRETCH})+))?")


class CoverageError(BareFlowError):
    """A file is no coverage file."""


@dataclass(frozen=True, order=True)
class CoveredFunction:
    """What is known about one function symbol."""

    file: str
    section: str
    symbol: str
    hit: bool
    rank: int = 0
    """Its place in the order of first calls, from 1; 0 if it did not run or the order was not recorded."""
    unused: Stretches = ()
    """The parts of a function that ran which never did."""
    object_crc: int = 0
    """CRC-32 of the object for which `unused` is known."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What identifies it."""
        return self.file, self.section, self.symbol


def write_coverage(functions: Iterable[CoveredFunction]) -> str:
    """The file's text."""
    lines = [HEAD]
    for function in sorted(functions):
        mark = "-" if not function.hit else f"+{function.rank or ''}"
        line = f"{mark}\t{function.file}\t{function.section}\t{function.symbol}"
        if function.unused:
            line += f"\t{function.object_crc:08x}"
            line += "".join(f" {begin:x}-{end:x}" for begin, end in function.unused)
        lines.append(line)
    return "\n".join(lines) + "\n"


def read_coverage(text: str, name: str) -> list[CoveredFunction]:
    """The functions in the order of the lines; raises CoverageError, which calls the file `name`."""
    lines = text.split("\n")
    if lines[0] != HEAD:
        raise CoverageError(f"{name} is no coverage file: its first line is not '{HEAD}'")
    if lines.pop() != "":
        raise CoverageError(f"{name}: the last line is cut off")
    functions = []
    for number, line in enumerate(lines[1:], 2):
        match = _LINE.fullmatch(line)
        if match is None:
            raise CoverageError(f"{name}, line {number}: not '+ or -, file, section, symbol' with tabs")
        mark, rank, file, section, symbol, crc, unused = match.groups()
        function = CoveredFunction(file, section, symbol, mark == "+", int(rank or 0))
        if crc:
            function = replace(function, unused=_stretches(unused), object_crc=int(crc, 16))
        functions.append(function)
    return functions


def _stretches(text: str) -> Stretches:
    pairs = (stretch.split("-") for stretch in text.split())
    return tuple((int(begin, 16), int(end, 16)) for begin, end in pairs)


def _merged(first: CoveredFunction, second: CoveredFunction) -> CoveredFunction:
    if not (first.hit and second.hit):
        return first if first.hit else second
    same = first.object_crc == second.object_crc
    return replace(
        first,
        rank=min((rank for rank in (first.rank, second.rank) if rank), default=0),
        unused=common(first.unused, second.unused) if same else (),
    )


def merge_coverage(files: Iterable[Iterable[CoveredFunction]]) -> list[CoveredFunction]:
    """Merges several lists. A function ran if it ran in any of them. Its rank is the lowest one. A byte of it
    never ran if it ran in none."""
    merged: dict[tuple[str, str, str], CoveredFunction] = {}
    for functions in files:
        for function in functions:
            known = merged.get(function.key)
            merged[function.key] = _merged(known, function) if known else function
    return sorted(merged.values())
