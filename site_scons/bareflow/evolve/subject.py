"""What is booted again and again: a text of the model's, or an ordinary program."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bareflow.bench.guest_session import Session
from bareflow.coverage.workload import Run, load_workload
from bareflow.disk import fat
from bareflow.errors import BareFlowError
from bareflow.model_program import MODEL_PROGRAM
from bareflow.models.synthetic_model import model_files

OTHER_MODEL = "v0"
_IDS, _LOGITS = "/profile/EVOLVE.IDS", "/profile/EVOLVE.LGT"


@dataclass(frozen=True)
class Pace:
    """How fast a boot was, in a subject's own unit."""

    column: str
    """In the CSV."""
    heading: str
    """In the table."""
    chart: str
    """The chart's title."""
    is_rate: bool
    """More of it is faster; otherwise it is a time."""


class Subject(Protocol):
    """What a boot runs, and what is measured of it."""

    first: str
    """What comes first: "first token"."""
    pace: Pace

    @property
    def memory(self) -> int:
        """MiB that it needs at least; 0: as its image does."""

    @property
    def config(self) -> Mapping[str, object]:
        """The guest's settings."""

    @property
    def input(self) -> str:
        """What is typed."""

    def pace_of(self, session: Session) -> float: ...

    def results(self, session: Session, disk: Path) -> str:
        """A hash of all that must be equal in every boot."""

    def another(self) -> Mapping[str, bytes]:
        """Files that make another one of it, on the same disk; none if there is no such."""


@dataclass(frozen=True)
class Story:
    """A text of the model's: the tokens, and all their logits, are equal."""

    settings: Mapping[str, object]
    first = "first token"
    pace = Pace("tokens_per_s", "tokens/s", "tokens per second", is_rate=True)
    input = ""
    memory = 0

    @property
    def config(self) -> Mapping[str, object]:
        return {**self.settings, "ids": _IDS, "logits": _LOGITS}

    def pace_of(self, session: Session) -> float:
        return session.generations[-1].processor_rate

    def results(self, session: Session, disk: Path) -> str:
        return hashlib.sha256(b"".join(fat.read_file(disk, path) for path in (_IDS, _LOGITS))).hexdigest()

    def another(self) -> Mapping[str, bytes]:
        return model_files(OTHER_MODEL)


@dataclass(frozen=True)
class Program:
    """One use of an ordinary program, which must end with status 0: all of its standard output is equal."""

    run: Run
    first = "first output"
    pace = Pace(
        "seconds",
        "seconds",
        "power-on to the program's end, seconds of QEMU's processor time (logarithmic)",
        is_rate=False,
    )

    @property
    def config(self) -> Mapping[str, object]:
        return self.run.config

    @property
    def input(self) -> str:
        return self.run.input

    @property
    def memory(self) -> int:
        return self.run.memory or 0

    def pace_of(self, session: Session) -> float:
        return session.program_end.processor

    def results(self, session: Session, disk: Path) -> str:
        return hashlib.sha256(b"".join(text.text for text in session.generations)).hexdigest()

    def another(self) -> Mapping[str, bytes]:
        return {}


def first_text(workload: Path) -> Story:
    """The first run of a workload that generates a text in the machine."""
    for run in load_workload(workload).runs:
        if run.config.get("mode") == MODEL_PROGRAM.text_mode and run.platform == "bare" and run.code == 0:
            return Story(run.config)
    raise BareFlowError(
        f'{workload}: no run of it generates a text in the machine (mode = "{MODEL_PROGRAM.text_mode}")'
    )


def first_use(workload: Path) -> Program:
    """The first run of a program's workload."""
    run = load_workload(workload).runs[0]
    if run.code:
        raise BareFlowError(
            f"{run.name} ends with status {run.code}; a machine settles on runs that end with status 0"
        )
    return Program(run)
