"""What one run of bareflow.trim.trim is to do. The build graph imports this, but not lief."""

import json
import os
from dataclasses import dataclass, field

from bareflow.trim.trimming import Trimming


@dataclass(frozen=True)
class Job:
    """The inputs and outputs, as paths."""

    coverage: list[str]
    misses: list[str]
    """Files with names of functions to keep, one a line."""
    map: str
    inputs: list[str]
    """Objects and archives. The objects are ours: only their copies of inline functions are trimmed."""
    folder: str
    """The objects' names in map and coverage are relative to this one."""
    output: str
    """A folder for the trimmed inputs: objects under the same names, archives without their folders."""
    removed: str
    """The table of what was removed (removed.py), to be written."""
    emptied: str
    """The table of the functions that lost parts, to be written."""
    trimming: Trimming = field(default_factory=Trimming)

    @classmethod
    def read(cls, text: str) -> "Job":
        """A job from JSON."""
        fields = json.loads(text)
        return cls(**fields | {"trimming": Trimming.from_fields(fields["trimming"])})


def is_archive(path: str) -> bool:
    """By its name, for the file need not exist yet."""
    return path.endswith(".a")


OUTSIDE = "ROOT"
"""The folder of the trimmed copies of objects with absolute paths."""


def name_of(job: Job, source: str) -> str:
    """An object's name in map and coverage. What several programs share is not in the job's folder: there it
    is the whole path."""
    return source.removeprefix(f"{job.folder}/")


def output_of(job: Job, source: str) -> str:
    """Where the trimmed copy of an input goes."""
    name = os.path.basename(source) if is_archive(source) else name_of(job, source)
    return os.path.join(job.output, f"{OUTSIDE}{name}" if os.path.isabs(name) else name)
