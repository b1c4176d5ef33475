"""The coverage file: which functions of `full` ran, as text that can be committed, compared and merged.

    # bareflow coverage 1
    +17 <tab> libLLVMCore.a(Value.cpp.o) <tab> .text._ZN4llvm5ValueD2Ev <tab> _ZN4llvm5ValueD2Ev
    -   <tab> ...

One line for every function symbol of the link, aliases included: `+` it ran (a number behind it: as how
manyth, where that was recorded), `-` it did not; file and section as in the link map; symbol. Sorted by file,
section and symbol. A function that is not in the file is one about which nothing is known.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .errors import BareFlowError

HEAD = "# bareflow coverage 1"
_LINE = re.compile(r"(?:(\+)(\d*)|-)\t([^\t]+)\t([^\t]+)\t([^\t]+)")


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
    """1 for the function that ran first; 0: not recorded, or it did not run."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What tells it from all others."""
        return self.file, self.section, self.symbol


def write_coverage(functions: Iterable[CoveredFunction]) -> str:
    """The file's text."""
    lines = [HEAD]
    for function in sorted(functions):
        mark = "-" if not function.hit else f"+{function.rank or ''}"
        lines.append(f"{mark}\t{function.file}\t{function.section}\t{function.symbol}")
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
        mark, rank, file, section, symbol = match.groups()
        functions.append(CoveredFunction(file, section, symbol, mark == "+", int(rank or 0)))
    return functions


def merge_coverage(files: Iterable[Iterable[CoveredFunction]]) -> list[CoveredFunction]:
    """One list of several: a function ran if it did in any; a rank is the lowest that any file has."""
    merged: dict[tuple[str, str, str], CoveredFunction] = {}
    for functions in files:
        for function in functions:
            known = merged.setdefault(function.key, function)
            ranks = [rank for rank in (known.rank, function.rank) if rank]
            hit = known.hit or function.hit
            merged[function.key] = replace(known, hit=hit, rank=min(ranks, default=0))
    return sorted(merged.values())
