"""Files of a run: what it brings back from the guest's disk (token ids and logits), and what is put there."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from bareflow.disk.fat import read_file, write_file
from bareflow.disk.image_copy import copy_image
from bareflow.model_program import MODEL_PROGRAM
from bareflow.run.options import INPUTS, RESULTS

GUEST_PATHS = {
    key: file.path for key, file in [*MODEL_PROGRAM.results.items(), *MODEL_PROGRAM.inputs.items()]
}
"""Where they are on the guest's disk."""


def wanted(argv: Sequence[str]) -> dict[str, Path]:
    """The host's files by option, of key=value arguments; the last one of a key counts."""
    pairs = (argument.partition("=") for argument in argv)
    return {key: Path(value) for key, _, value in pairs if key in RESULTS | INPUTS and value}


@contextlib.contextmanager
def private_copy(image: Path) -> Iterator[Path]:
    """A copy that the guest may write to, for as long as the context lasts."""
    with tempfile.TemporaryDirectory(prefix="bareflow-") as folder:
        copy = Path(folder) / "image.img"
        copy_image(image, copy)
        yield copy


def put(image: Path, files: dict[str, Path]) -> None:
    """Copies the inputs to the image."""
    for key in files.keys() & INPUTS.keys():
        write_file(image, GUEST_PATHS[key], files[key].read_bytes())


def fetch(image: Path, files: dict[str, Path]) -> None:
    """Copies the results from the image that the guest has written to."""
    for key, path in files.items():
        if key in RESULTS:
            path.write_bytes(read_file(image, GUEST_PATHS[key]))
