"""What a trimmed variant declares about the libraries, besides the functions that coverage has not seen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class SharedEntries:
    """A table of a library all of whose entries may lead to the same thing (bareflow/shared_entries.py)."""

    file: str
    """The object that has it, as link maps call it."""
    table: str
    """Its section."""
    entries: str
    """The sections that its entries refer to: a regular expression. Other entries stay."""
    kept: str
    """The symbol that these entries refer to from now on; the only one of that name in the object."""


@dataclass(frozen=True)
class NameTable:
    """A library's table of names, some of which nobody asks for (bareflow/name_tables.py)."""

    file: str
    """The object that has it, as link maps call it."""
    names: str
    """The section with the names, each ended by a zero byte."""
    offsets: str
    """The section with where each name begins, 4 bytes each."""
    unwanted: str
    """The names that go, a regular expression."""


@dataclass(frozen=True)
class RemovedData:
    """A variable of a library that nothing uses (bareflow/removed_data.py)."""

    file: str
    """The object that has it, as link maps call it."""
    section: str
    """Its section, which ends with its name."""


@dataclass(frozen=True)
class Trimming:
    """What goes although coverage knows nothing of it, and what stays although it has not run."""

    shared_entries: list[SharedEntries] = field(default_factory=list)
    """Tables all of whose entries lead to the same thing afterwards."""
    name_tables: list[NameTable] = field(default_factory=list)
    """Tables of names that lose some."""
    removed_data: list[RemovedData] = field(default_factory=list)
    """Variables that are not linked."""
    unconstructed: list[str] = field(default_factory=list)
    """Objects, as link maps call them, whose static constructors do not run."""
    whole: list[str] = field(default_factory=list)
    """Archives of which no function is removed."""
    by_chance: list[str] = field(default_factory=list)
    """Patterns of names of functions that are not removed: whether they run is chance."""
    in_parts: list[str] = field(default_factory=list)
    """Archives of whose functions those parts go that never ran."""
    not_in_parts: list[str] = field(default_factory=list)
    """Patterns of names of functions that stay whole if they ran."""

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> "Trimming":
        """What dataclasses.asdict made of one."""
        tables = {
            "shared_entries": [SharedEntries(**table) for table in fields["shared_entries"]],
            "name_tables": [NameTable(**table) for table in fields["name_tables"]],
            "removed_data": [RemovedData(**variable) for variable in fields["removed_data"]],
        }
        return cls(**{**fields, **tables})
