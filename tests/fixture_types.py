"""Types of the fixtures in conftest.py, for the tests' annotations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from bareflow.events import Event
from bareflow.qemu.guest import Guest
from disk_tools import DiskImage

Processor = dict[str, Any]
"""The QEMU for what was built, and its CPU, as arguments of bareflow.qemu.machine.Machine."""


class Boot(Protocol):
    """Boots an image; keyword arguments are those of bareflow.qemu.machine.Machine, and timeout."""

    def __call__(self, image: Path | DiskImage, *, timeout: float = 60.0, **machine: Any) -> Guest: ...


class Tell(Protocol):
    """Boots an image in mode generate at temperature 0 and waits for its successful end."""

    def __call__(self, image: Path | DiskImage, config: dict[str, object], **machine: Any) -> Guest: ...


OneFolder = Callable[[str, Callable[[Path], None]], Path]
"""The folder of this name, filled by the function in the first of pytest's workers that wants it, while the
others wait. Not to be changed."""


@dataclass(frozen=True)
class Story:
    """The default model's likeliest story of so many steps.

    `beginning` is its first words, with which as a prompt it is told again; `ids` are its tokens.
    """

    image: Path
    steps: int
    text: str
    ids: list[int]
    beginning: str


@dataclass(frozen=True)
class MadeDisk:
    """A disk that many tests begin with. Not to be changed."""

    disk: DiskImage
    boots: int
    """As many have made it, and in the last one:"""
    console: str
    events: list[Event]

    def event(self, name: str) -> Event:
        """The one event of this name."""
        (event,) = (event for event in self.events if event["event"] == name)
        return event


# Tells a story: the guest, and the files that it left of token ids and logits.
Record = Callable[[Path, dict[str, object]], tuple[Guest, bytes, bytes]]
# A private copy of an image.
Disk = Callable[[Path], DiskImage]
# The checkpoint and the tokenizer of a model: the "default", or the reference model as "v0", "v1" or "q80".
ModelFiles = Callable[[str], tuple[Path, Path]]
# The application's image with one of these models.
ModelImage = Callable[[str], Path]
# The image of tests/boot/guests/NAME.c.
GuestImage = Callable[[str], Path]
# A reference text by name: "greedy_n64".
Reference = Callable[[str], str]
