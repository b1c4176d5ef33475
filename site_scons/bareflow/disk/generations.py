"""Files that only the guest writes, in two generations: PATH, and PATH with "~" as its last character.

Layout of the files: kernel_lib/storage/generations.c.
"""

import struct
import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from bareflow.disk.fat import SECTOR, FatError, list_folder, read_with_time

_MAGIC = b"BFGENER1"
_FOOTER = "<8sQQII"
_FOOTER_SIZE = struct.calcsize(_FOOTER)
_CRC_SIZE = 4
_BY_GUEST = datetime(1980, 1, 1, 22, 22, 22, tzinfo=UTC).timestamp()
"""The time of writing that the guest gives its files (kernel_lib/storage/fat/fat_internal.h)."""


def sibling(path: str) -> str:
    """The other file of the two."""
    return f"{path[:-1]}~"


def _generation(data: bytes) -> tuple[int, bytes] | None:
    """A file's sequence number and contents; None when it is damaged. One without a footer was put there by
    hand: it comes before all others."""
    footer = data[-_FOOTER_SIZE:]
    if not footer.startswith(_MAGIC):
        return 0, data
    _, sequence, _, size, crc = struct.unpack(_FOOTER, footer)
    valid = size == 0 or (
        size <= len(data) and zlib.crc32(footer[:-_CRC_SIZE], zlib.crc32(data[:size])) == crc
    )
    return (sequence, data[:size]) if valid else None


def newest(files: Iterable[bytes]) -> bytes:
    """The contents of the newest of these files that is whole; empty when there is none."""
    whole = [found for data in files if (found := _generation(data)) and found[1]]
    return max(whole, key=lambda found: found[0], default=(0, b""))[1]


def read_generation(image: Path, path: str) -> bytes:
    """The newest contents of a file in an image; empty when the guest has written none."""
    files = []
    for name in list_folder(image, path.rpartition("/")[0]):
        if name.upper() not in (path.upper(), sibling(path).upper()):
            continue
        try:
            data, time = read_with_time(image, name)
        except FatError:
            continue  # it was being made when the power was cut
        if time != _BY_GUEST or data[-_FOOTER_SIZE:].startswith(_MAGIC):
            files.append(data)
    return newest(files)


def unwritten(room: int) -> bytes:
    """A file with room for that many bytes: as long as they fit, the guest changes neither the FAT nor the
    directory."""
    sectors = -(-room // SECTOR) + 1
    return struct.pack(_FOOTER, _MAGIC, 0, 0, 0, 0).rjust(sectors * SECTOR, b"\0")
