"""The tables of what a trim removed: one JSON object on each line."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from bareflow.coverage.translated import Stretches


@dataclass(frozen=True)
class Removed:
    """A function section that is a trap stub now, or a variable that is not linked."""

    id: int
    """The id in the stub, or the variable's (removed_data.py)."""
    size: int
    """Bytes that the section had."""
    file: str
    section: str
    symbol: str
    """The function or variable. Of several names, the one that has the id."""


@dataclass(frozen=True)
class Emptied:
    """A function section that has parts of INT3 now."""

    file: str
    section: str
    parts: Stretches


def write_emptied(emptied: Iterable[Emptied]) -> str:
    """The table's text."""
    return "".join(f"{json.dumps(asdict(entry))}\n" for entry in emptied)


def read_emptied(text: str) -> list[Emptied]:
    """The reverse."""
    lines = map(json.loads, text.splitlines())
    return [
        Emptied(line["file"], line["section"], tuple((begin, end) for begin, end in line["parts"]))
        for line in lines
    ]


def write_removed(removed: Iterable[Removed]) -> str:
    """The table's text."""
    return "".join(f"{json.dumps(asdict(entry))}\n" for entry in removed)


def read_removed(text: str) -> list[Removed]:
    """The reverse."""
    return [Removed(**json.loads(line)) for line in text.splitlines()]
