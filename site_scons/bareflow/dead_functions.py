"""Which functions are dead, from coverage.

A function that other objects can see is decided by its name, wherever a copy of it is (COMDAT groups, aliases
of constructors); a local one by its place as well, for there are namesakes. Nothing known means alive.
"""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from .coverage_file import CoveredFunction
from .stub_names import LONGEST_NAME


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
        misses: Collection[str] = (),
        whole: Collection[str] = (),
        by_chance: Collection[str] = (),
    ) -> None:
        """To keep although they did not run: `misses`, names of functions; `whole`, archives of which none is
        removed; `by_chance`, patterns of names."""
        chance = re.compile("|".join(by_chance) or r"(?!)")
        self._by_name: dict[str, int] = {}
        self._by_place: dict[tuple[str, str, str], int] = {}
        for number, function in enumerate(coverage, 1):
            keep = function.hit or function.symbol in misses or len(function.symbol) > LONGEST_NAME
            keep = keep or function.file.partition("(")[0] in whole or bool(chance.search(function.symbol))
            dead = 0 if keep else number
            self._by_place[function.key] = dead
            known = self._by_name.setdefault(function.symbol, dead)
            self._by_name[function.symbol] = min(known, dead)

    def stub_id(self, file: str, section: str, symbols: Iterable[FunctionSymbol]) -> int:
        """The id for a section that has these functions; 0 when one of them is alive."""
        ids = [self._id(file, section, symbol) for symbol in symbols]
        return min(ids, default=0)

    def _id(self, file: str, section: str, symbol: FunctionSymbol) -> int:
        if symbol.is_local:
            return self._by_place.get((file, section, symbol.name), 0)
        return self._by_name.get(symbol.name, 0)
