"""Decides from coverage which functions are dead, and which parts of the others.

A function that other objects can see is decided by its name, in all of its copies (COMDAT groups, aliases of
constructors). A local function is decided by file, section and name, because others may have the same name.
Parts are decided by file, section and name in any case: coverage knows them for that copy only. A function
about which nothing is known is alive.
"""

import functools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from bareflow.coverage.coverage_file import CoveredFunction
from bareflow.coverage.translated import Stretches, common
from bareflow.trim.trimming import Trimming

NOTHING_DECLARED = Trimming()


@dataclass(frozen=True)
class FunctionSymbol:
    """A function symbol as its object has it."""

    name: str
    is_local: bool


class DeadFunctions:
    """The dead functions. The id of one is its place in the coverage, from 1."""

    def __init__(
        self,
        coverage: Sequence[CoveredFunction],
        trimming: Trimming = NOTHING_DECLARED,
        misses: Collection[str] = (),
    ) -> None:
        """`misses`: names of functions that are kept whole although they did not run."""
        self._shortest = trimming.shortest_part
        patterns = (trimming.by_chance, trimming.not_in_parts)
        chance, entire = (re.compile("|".join(names) or r"(?!)") for names in patterns)
        self._by_name: dict[str, int] = {}
        self._by_place: dict[tuple[str, str, str], int] = {}
        self._parts: dict[tuple[str, str, str], CoveredFunction] = {}
        for number, function in enumerate(coverage, 1):
            archive = function.file.partition("(")[0]
            keep = function.symbol in misses or archive in trimming.whole
            keep = keep or bool(chance.search(function.symbol))
            if archive in trimming.in_parts and not keep and not entire.search(function.symbol):
                self._parts[function.key] = function
            keep = keep or function.hit
            dead = 0 if keep else number
            self._by_place[function.key] = dead
            known = self._by_name.setdefault(function.symbol, dead)
            self._by_name[function.symbol] = min(known, dead)

    def stub_id(self, file: str, section: str, symbols: Iterable[FunctionSymbol]) -> int:
        """The id for a section that is these functions; 0 if one of them is alive."""
        ids = [self._id(file, section, symbol) for symbol in symbols]
        return min(ids, default=0)

    def dead_parts(
        self, file: str, object_crc: int, section: str, symbols: Iterable[FunctionSymbol]
    ) -> Stretches:
        """The stretches that never ran of a section that is these functions, which did run. None if the
        object is another one than the one that was recorded."""
        known = [self._parts.get((file, section, symbol.name)) for symbol in symbols]
        parts = [part.unused if part and part.object_crc == object_crc else () for part in known]
        found = functools.reduce(common, parts) if parts else ()
        return tuple((begin, end) for begin, end in found if end - begin >= self._shortest)

    def _id(self, file: str, section: str, symbol: FunctionSymbol) -> int:
        if symbol.is_local:
            return self._by_place.get((file, section, symbol.name), 0)
        return self._by_name.get(symbol.name, 0)
