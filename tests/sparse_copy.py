"""Copies of disk images, which are nearly all holes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path


def _data(file: int, at: int) -> Iterator[tuple[int, int]]:
    """Where in an open file from there on data begins and ends, hole after hole."""
    while True:
        try:
            at = os.lseek(file, at, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        start, at = at, os.lseek(file, at, os.SEEK_HOLE)
        yield start, at


def copy_sparse(source: Path, target: Path, start: int = 0) -> None:
    """Copies what is in a file from the byte `start` on, and leaves holes where it has some."""
    with source.open("rb") as file, target.open("wb") as copy:
        copy.truncate(os.fstat(file.fileno()).st_size - start)
        for first, end in _data(file.fileno(), start):
            copy.seek(first - start)
            copy.write(os.pread(file.fileno(), end - first, first))
