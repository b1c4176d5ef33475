"""Files in a disk image's FAT partition, by mtools. Every failure is a FatError."""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from bareflow.errors import BareFlowError
from bareflow.layouts import read_header

SECTOR = read_header("boot/disk_layout.h")["SECTOR_SIZE"]
PARTITION_LBA = 2048
"""First sector of the FAT partition: 1 MiB, as every partitioning tool aligns it."""

_FIRST_DAY = "315532800"
"""1 January 1980, the first day that FAT knows, in seconds since 1970."""
_ENVIRONMENT = {
    "MTOOLSRC": os.devnull,  # nobody's own settings
    "LC_ALL": "C.UTF-8",  # of file names
    "TZ": "UTC",
    "SOURCE_DATE_EPOCH": _FIRST_DAY,  # the time of writing: contents alone decide an image's bytes
}


class FatError(BareFlowError):
    """The files do not fit a FAT image, or an image is not one that can be read."""


def mtools(program: str, image: Path, *arguments: str, data: bytes | None = None) -> bytes:
    """What one of the mtools prints, working on the image's partition with `data` as its input."""
    command = [program, "-i", f"{image}@@{PARTITION_LBA * SECTOR}", *arguments]
    result = subprocess.run(
        command,
        input=data or b"",
        capture_output=True,
        env=os.environ | _ENVIRONMENT,
        check=False,
    )
    if result.returncode == 0:
        return result.stdout
    reason = result.stderr.decode(errors="replace").strip()
    if "Cannot initialize" in reason:
        reason = "this is no BareFlow disk image: there is no FAT file system at 1 MiB"
    raise FatError(f"{image}: {reason}")


def list_folder(image: Path, path: str) -> list[str]:
    """The full names of what is in a folder; folders end with "/"."""
    names = mtools("mdir", image, "-b", f"::{path}").decode().splitlines()
    return [name.removeprefix("::") for name in names]


def read_file(image: Path, path: str) -> bytes:
    """The contents of a file, which is found without regard to case."""
    return mtools("mcopy", image, "-n", f"::{path}", "-")


def read_beginning(image: Path, path: str, size: int) -> bytes:
    """The first bytes of a file, as many as there are; none if it cannot be read."""
    command = ["mcopy", "-i", f"{image}@@{PARTITION_LBA * SECTOR}", "-n", f"::{path}", "-"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout
        try:
            return process.stdout.read(size)
        finally:
            process.kill()


def read_with_time(image: Path, path: str) -> tuple[bytes, float]:
    """The contents of a file, and its time of writing in seconds since 1970."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        mtools("mcopy", image, "-n", "-m", f"::{path}", str(copy))
        return copy.read_bytes(), copy.stat().st_mtime


def write_file(image: Path, path: str, content: bytes) -> None:
    """Makes or replaces a file; its folder must exist."""
    mtools("mcopy", image, "-o", "-", f"::{path}", data=content)


@contextlib.contextmanager
def replaced_files(image: Path, files: Mapping[str, bytes]) -> Iterator[None]:
    """Within the `with` block the image has these files; behind it, what it had before."""
    before: dict[str, bytes | None] = {}
    for path in files:
        try:
            before[path] = read_file(image, path)
        except FatError:
            before[path] = None
    for path, content in files.items():
        write_file(image, path, content)
    yield
    for path, old in before.items():
        if old is None:
            mtools("mdel", image, f"::{path}")
        else:
            write_file(image, path, old)
