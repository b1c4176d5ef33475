"""The disk that `./bareflow run` boots. With write=1 it is a copy of the image, so that what the machine
writes changes nothing that the build has made and tests use; it is kept, and `run` boots it from then on,
until the image is made again."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from bareflow.disk.image_copy import copy_image


def written_disk(image: Path) -> Path:
    """Where the copy of an image is."""
    return image.with_suffix(f".written{image.suffix}")


def former_disk(image: Path) -> Path:
    """Where the last copy of an earlier image is."""
    return image.with_suffix(f".written.old{image.suffix}")


def disk_to_boot(image: Path, writes: bool, say: Callable[[str], None]) -> Path:
    """The file that a machine gets as its disk; writes: write=1. say gets sentences about what is not the
    image."""
    disk = written_disk(image)
    is_there = disk.exists()
    is_current = is_there and disk.stat().st_mtime_ns >= image.stat().st_mtime_ns
    if not writes and not is_current:
        return image
    if is_there and not is_current:
        disk.replace(former_disk(image))
        say(f"{image.name} is a new one: what the machine wrote before is in {former_disk(image)}")
    if not is_current:
        _copy(image, disk)
    say(f"the machine's disk is {disk}")
    return disk


def _copy(image: Path, disk: Path) -> None:
    """All of it, or nothing."""
    handle, temporary = tempfile.mkstemp(prefix=disk.name, dir=disk.parent)
    os.close(handle)
    try:
        copy_image(image, Path(temporary))
        os.replace(temporary, disk)
    except BaseException:
        os.unlink(temporary)
        raise
