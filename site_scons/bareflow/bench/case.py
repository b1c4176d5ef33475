"""What a bench is made of."""

import sys
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


def _nothing(measured: object) -> Sequence[str]:
    return ()


@dataclass(frozen=True)
class Case(Generic[T]):
    """Measures something and makes tables of it."""

    measure: Callable[[], T]
    tables: Callable[[T], Sequence[str]]
    complaints: Callable[[T], Sequence[str]] = _nothing
    """What must not be, as sentences; the bench fails when there are any."""

    def run(self) -> tuple[Sequence[str], Sequence[str]]:
        """The tables and the complaints."""
        measured = self.measure()
        return self.tables(measured), self.complaints(measured)


def progress(text: str) -> None:
    """Shows how far a bench is."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


def take_turns(
    columns: Mapping[str, Callable[[], T]], turns: int, sentence: str = "", once: Collection[str] = ()
) -> dict[str, list[T]]:
    """Measures every column so many times, one after the other in each turn, because everything else on the
    machine changes with time; those of `once` in the first turn only.

    sentence is about the progress, with {turn}, {turns} and {name}; it is printed when it changes.
    """
    found: dict[str, list[T]] = {name: [] for name in columns}
    last = ""
    for turn in range(1, turns + 1):
        for name, measure in columns.items():
            if turn > 1 and name in once:
                continue
            text = sentence.format(turn=turn, turns=turns, name=name)
            if text != last:
                progress(text)
                last = text
            found[name].append(measure())
    return found
