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
    archives: list[str]
    output: str
    """A folder for the trimmed archives, under the same names."""
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


def output_of(job: Job, archive: str) -> str:
    """Where the trimmed copy of an archive goes."""
    return os.path.join(job.output, os.path.basename(archive))
