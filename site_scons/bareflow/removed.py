"""The table of what a trim removed: one JSON object a line."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Removed:
    """A function section that is a stub now."""

    id: int
    """In the stub."""
    size: int
    """Bytes that the section had."""
    file: str
    section: str
    symbol: str
    """The function; where it has several names, the one that the id is for."""


def write_removed(removed: Iterable[Removed]) -> str:
    """The table's text."""
    return "".join(f"{json.dumps(asdict(entry))}\n" for entry in removed)


def read_removed(text: str) -> list[Removed]:
    """The reverse."""
    return [Removed(**json.loads(line)) for line in text.splitlines()]
