"""Changes files in a disk image, by mtools."""

import contextlib
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from bareflow.disk.fat16_layout import PARTITION_LBA, SECTOR, Fat16Error
from bareflow.disk.fat16_reader import read_file


def _mtools(program: str, image: Path, *arguments: str, data: bytes | None = None) -> None:
    command = [program, "-i", f"{image}@@{PARTITION_LBA * SECTOR}", *arguments]
    result = subprocess.run(command, input=data, capture_output=True, check=False)
    if result.returncode:
        raise Fat16Error(f"{image}: {program}: {result.stderr.decode(errors='replace').strip()}")


def write_file(image: Path, path: str, content: bytes) -> None:
    """Makes or replaces a file; its folder must exist."""
    _mtools("mcopy", image, "-o", "-", f"::{path}", data=content)


def delete_file(image: Path, path: str) -> None:
    _mtools("mdel", image, f"::{path}")


@contextlib.contextmanager
def replaced_files(image: Path, files: Mapping[str, bytes]) -> Iterator[None]:
    """Within the `with` block the image has these files; behind it, what it had before."""
    before: dict[str, bytes | None] = {}
    for path in files:
        try:
            before[path] = read_file(image.read_bytes(), path)
        except Fat16Error:
            before[path] = None
    for path, content in files.items():
        write_file(image, path, content)
    yield
    for path, old in before.items():
        if old is None:
            delete_file(image, path)
        else:
            write_file(image, path, old)
