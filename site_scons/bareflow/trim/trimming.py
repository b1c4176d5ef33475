"""What a trimmed variant declares about the libraries. Coverage says the rest."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bareflow.coverage.translated import SHORTEST


@dataclass(frozen=True)
class RemovedData:
    """A variable of a library that nothing uses (bareflow/removed_data.py)."""

    file: str
    """The object that has it, as link maps call it."""
    section: str
    """Its section, which ends with its name."""


@dataclass(frozen=True)
class Trimming:
    """What is removed although coverage knows nothing of it, and what stays although it did not run."""

    removed_data: list[RemovedData] = field(default_factory=list)
    """Variables that are not linked."""
    unconstructed: list[str] = field(default_factory=list)
    """Objects, as link maps call them, whose static constructors do not run."""
    whole: list[str] = field(default_factory=list)
    """Archives of which no function is removed."""
    by_chance: list[str] = field(default_factory=list)
    """Patterns of names of functions that are not removed, because it is chance whether they run."""
    in_parts: list[str] = field(default_factory=list)
    """Archives whose functions lose the parts that never ran."""
    not_in_parts: list[str] = field(default_factory=list)
    """Patterns of names of functions that stay whole if they ran."""
    shortest_part: int = SHORTEST
    """Bytes. Shorter parts that never ran stay."""

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "Trimming":
        """What dataclasses.asdict made of one."""
        removed_data = [RemovedData(**variable) for variable in fields["removed_data"]]
        return cls(**{**fields, "removed_data": removed_data})
