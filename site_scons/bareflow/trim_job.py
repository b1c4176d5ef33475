"""What one run of bareflow.trim is to do. The build graph knows it without importing what trimming needs."""

import json
import os
from dataclasses import dataclass, field

from .variant import NameTable, RemovedData, SharedEntries


@dataclass(frozen=True)
class Job:
    """What to trim by what. Paths."""

    coverage: list[str]
    misses: list[str]
    """Files with names of functions to keep, one a line."""
    map: str
    inputs: list[str]
    """Objects and archives; of objects only copies of inline functions are trimmed, the rest is ours."""
    folder: str
    """The objects' names in map and coverage are relative to this one."""
    output: str
    """A folder for the trimmed inputs: objects under the same names, archives without their folders."""
    removed: str
    """The table of what was removed (bareflow/removed.py), to be written."""
    shared: list[SharedEntries] = field(default_factory=list)
    """Tables in archives, all of whose entries lead to the same thing afterwards."""
    name_tables: list[NameTable] = field(default_factory=list)
    """Tables of names that lose some."""
    removed_data: list[RemovedData] = field(default_factory=list)
    """Variables that nothing uses."""
    unconstructed: list[str] = field(default_factory=list)
    """Objects whose static constructors do not run."""
    whole: list[str] = field(default_factory=list)
    """Archives of which no function is removed."""
    by_chance: list[str] = field(default_factory=list)
    """Patterns of names of functions that are not removed."""

    @classmethod
    def read(cls, text: str) -> "Job":
        """A job from JSON."""
        fields = json.loads(text)
        shared = [SharedEntries(**table) for table in fields["shared"]]
        data = [RemovedData(**variable) for variable in fields["removed_data"]]
        names = [NameTable(**table) for table in fields["name_tables"]]
        return cls(**fields | {"shared": shared, "removed_data": data, "name_tables": names})


def is_archive(path: str) -> bool:
    """By its name, for the file need not exist yet."""
    return path.endswith(".a")


def output_of(job: Job, source: str) -> str:
    """Where the trimmed copy of an input goes."""
    name = os.path.basename(source) if is_archive(source) else os.path.relpath(source, job.folder)
    return os.path.join(job.output, name)
