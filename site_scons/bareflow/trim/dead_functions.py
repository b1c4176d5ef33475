"""Which functions are dead, from coverage, and which parts of the others.

A function that other objects can see is decided by its name, wherever a copy of it is (COMDAT groups, aliases
of constructors); a local one by its place as well, for there are namesakes. Parts go by the place in any
case: only in that copy it is known what ran of it. Nothing known means alive.
"""

import functools
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from bareflow.coverage.coverage_file import CoveredFunction
from bareflow.coverage.translated import SHORTEST, Stretches, common
from bareflow.trim.trimming import Trimming

NOTHING_DECLARED = Trimming()


@dataclass(frozen=True)
class FunctionSymbol:
    """A function symbol as its object has it."""

    name: str
    is_local: bool


class DeadFunctions:
    """What coverage says, prepared for questions. A dead function has an id, its place in the coverage."""

    def __init__(
        self,
        coverage: Sequence[CoveredFunction],
        trimming: Trimming = NOTHING_DECLARED,
        misses: Collection[str] = (),
    ) -> None:
        """`misses`: names of functions that are kept, whole, although they did not run."""
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
        """The id for a section that has these functions; 0 when one of them is alive."""
        ids = [self._id(file, section, symbol) for symbol in symbols]
        return min(ids, default=0)

    def dead_parts(
        self, file: str, object_crc: int, section: str, symbols: Iterable[FunctionSymbol]
    ) -> Stretches:
        """Which bytes never ran of a section that has these functions, although they did. None if the object
        is another one than that of which it is known."""
        known = [self._parts.get((file, section, symbol.name)) for symbol in symbols]
        parts = [part.unused if part and part.object_crc == object_crc else () for part in known]
        found = functools.reduce(common, parts) if parts else ()
        return tuple((begin, end) for begin, end in found if end - begin >= SHORTEST)

    def _id(self, file: str, section: str, symbol: FunctionSymbol) -> int:
        if symbol.is_local:
            return self._by_place.get((file, section, symbol.name), 0)
        return self._by_name.get(symbol.name, 0)
