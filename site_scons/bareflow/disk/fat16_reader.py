"""Reads files back from a disk image, for tests and for build steps that take results out of a guest.

Raises nothing but Fat16Error, whatever is in the image.
"""

import contextlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from bareflow.disk.fat16_layout import (
    ATTRIBUTE_DIRECTORY,
    ATTRIBUTE_LONG_NAME,
    ATTRIBUTE_VOLUME,
    BPB_FORMAT,
    ENTRY,
    FIRST_CLUSTER,
    NAME_OFFSETS,
    PARTITION_LBA,
    PARTITION_TABLE,
    PARTITION_TYPE,
    RESERVED_SECTORS,
    ROOT_ENTRIES,
    SECTOR,
    Fat16Error,
    Layout,
)
from bareflow.disk.fat16_names import decode_short

_BY_GUEST = struct.pack("<HH", 22 << 11 | 22 << 5 | 22 // 2, 1 << 5 | 1)
_DELETED = 0xE5


@dataclass(frozen=True)
class Entry:
    """One file or folder: its name, first cluster and size in bytes (0 for a folder)."""

    name: str
    short_name: str
    is_directory: bool
    cluster: int
    size: int
    by_guest: bool = False
    """The guest wrote it last: its time of writing says so (kernel_lib/storage/fat16/fat16_internal.h)."""


def _read_layout(image: bytes) -> Layout:
    kind = image[PARTITION_TABLE + 4]
    (start,) = struct.unpack_from("<I", image, PARTITION_TABLE + 8)
    if image[510:512] != b"\x55\xaa" or kind != PARTITION_TYPE or start != PARTITION_LBA:
        raise Fat16Error("this is no BareFlow disk image: its first partition is not FAT16 at 1 MiB")
    values = struct.unpack_from(BPB_FORMAT, image, PARTITION_LBA * SECTOR)
    cluster, small_count, fat_sectors, large_count = values[3], values[7], values[9], values[13]
    return Layout(cluster, fat_sectors, small_count or large_count)


def _chain(image: bytes, layout: Layout, cluster: int) -> Iterator[int]:
    fat = (PARTITION_LBA + RESERVED_SECTORS) * SECTOR
    seen = set()
    while FIRST_CLUSTER <= cluster < layout.clusters + FIRST_CLUSTER:
        if cluster in seen:
            raise Fat16Error("a cluster chain of the image never ends")
        seen.add(cluster)
        yield cluster
        (cluster,) = struct.unpack_from("<H", image, fat + 2 * cluster)


def _read_chain(image: bytes, layout: Layout, cluster: int) -> bytes:
    size = layout.cluster_bytes
    starts = (layout.cluster_offset(number) for number in _chain(image, layout, cluster))
    return b"".join(image[start : start + size] for start in starts)


def _entries(directory: bytes) -> Iterator[Entry]:
    units: list[int] = []
    for offset in range(0, len(directory) - ENTRY + 1, ENTRY):
        entry = directory[offset : offset + ENTRY]
        if entry[0] == 0:
            return
        attributes = entry[11]
        if entry[0] == _DELETED:
            units = []
        elif attributes == ATTRIBUTE_LONG_NAME:
            units = [struct.unpack_from("<H", entry, at)[0] for at in NAME_OFFSETS] + units
        elif not attributes & ATTRIBUTE_VOLUME:
            short_name = decode_short(entry[:11], entry[12])
            used = units[: units.index(0)] if 0 in units else units
            name = struct.pack(f"<{len(used)}H", *used).decode("utf-16-le") or short_name
            cluster, size = struct.unpack_from("<HI", entry, 26)
            by_guest = entry[22:26] == _BY_GUEST
            yield Entry(name, short_name, bool(attributes & ATTRIBUTE_DIRECTORY), cluster, size, by_guest)
            units = []


@contextlib.contextmanager
def _damage_is_told() -> Iterator[None]:
    try:
        yield
    except (struct.error, ValueError, IndexError, ZeroDivisionError) as error:
        raise Fat16Error(f"the image's file system is damaged: {error}") from None


@_damage_is_told()
def list_directory(image: bytes, path: str = "/") -> list[Entry]:
    """The entries of a folder, without "." and ".."; raises Fat16Error when there is no such folder."""
    layout = _read_layout(image)
    start = (PARTITION_LBA + layout.root_start) * SECTOR
    content = image[start : start + ROOT_ENTRIES * ENTRY]
    for part in filter(None, path.split("/")):
        found = _find(_entries(content), part)
        if found is None or not found.is_directory:
            raise Fat16Error(f"the image has no folder '{path}'")
        content = _read_chain(image, layout, found.cluster)
    return [entry for entry in _entries(content) if entry.name not in (".", "..")]


def _find(entries: Iterator[Entry], name: str) -> Entry | None:
    wanted = name.upper()
    return next((e for e in entries if wanted in (e.name.upper(), e.short_name.upper())), None)


@_damage_is_told()
def read_file(image: bytes, path: str) -> bytes:
    """The contents of a file, found without regard to case; raises Fat16Error when there is no such file."""
    folder, _, name = path.rpartition("/")
    entry = _find(iter(list_directory(image, folder)), name)
    if entry is None or entry.is_directory:
        raise Fat16Error(f"the image has no file '{path}'")
    content = _read_chain(image, _read_layout(image), entry.cluster)
    if len(content) < entry.size:
        raise Fat16Error(f"'{path}' is cut short: {len(content)} of {entry.size} bytes are there")
    return content[: entry.size]
