"""Builds a bootable disk image: MBR with stage1, stage2 behind it, one FAT16 or FAT32 partition at 1 MiB.

The file system is made by mtools. The image depends on nothing but the arguments: no clock, no random
numbers. Files lie in one piece each; the first one, the kernel, is at the start of the partition's data,
where even a floppy drive's BIOS reaches it.
"""

import hashlib
import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bareflow.disk.boot_slots import KERNELS, LBA, BootSlots
from bareflow.disk.fat import PARTITION_LBA, SECTOR, FatError, mtools, write_file
from bareflow.layouts import read_header

MEBIBYTE = 1 << 20
MIN_PARTITION = 16 * MEBIBYTE
MIN_CLUSTER = 2048
MAX_CLUSTER = 65536
FAT32_CLUSTER = 32768
"""The largest that every system knows: the FAT is small, and models are large files."""
MAX_FILE = (1 << 32) - 1
MAX_SECTORS = (1 << 32) - 1
"""That 32 bits count, in the partition table."""
FREE_SPACE = 8 * MEBIBYTE
"""What an image has left for the files that the guest writes: profiles, logits, native snapshots."""

PARTITION_TABLE = 446
PARTITION_TYPES = {16: 0x0E, 32: 0x0C}
"""With LBA, by the bits of the FAT's entries."""
_DISK = read_header("boot/disk_layout.h")
STAGE2_SECTORS = _DISK["STAGE2_SECTORS"]
SECTORS_PER_TRACK, HEADS = _DISK["IMAGE_SECTORS_PER_TRACK"], _DISK["IMAGE_HEADS"]
ROOT_SECTORS = 32
MAX_CLUSTERS = 65524
"""With 4085 to this many clusters a FAT file system is FAT16, by definition."""
_DISK_SIGNATURE = 440
_DISK_SECTORS = 32
"""Where stage1's BIOS parameter block has the 32-bit sector count."""
_FIRST = "/FIRST"
_LONGEST_NAME = 255
_FORBIDDEN = frozenset('"*:<>?\\|[]')
"""In names of files; FAT allows brackets, but for mtools they are patterns."""


def _chs(lba: int) -> bytes:
    """The three-byte cylinder/head/sector form of a partition table entry, saturated at its limit."""
    cylinder, rest = divmod(lba, HEADS * SECTORS_PER_TRACK)
    head, sector = divmod(rest, SECTORS_PER_TRACK)
    if cylinder > 1023:
        return b"\xfe\xff\xff"
    return struct.pack("<BBB", head, (sector + 1) | (cylinder >> 2 & 0xC0), cylinder & 0xFF)


def _folders(paths: list[str]) -> list[str]:
    """The folders of these paths, parents before children."""
    found: dict[str, None] = {}
    for path in paths:
        parts = path.split("/")[1:-1]
        found |= {f"/{'/'.join(parts[:depth])}": None for depth in range(1, len(parts) + 1)}
    return list(found)


def _check_names(paths: list[str]) -> None:
    seen = set()
    for path in paths:
        name = path.rpartition("/")[2]
        if not name or name in (".", "..") or _FORBIDDEN & set(name) or min(map(ord, name)) < 32:
            raise FatError(f"'{name}' is no valid file name on FAT")
        if len(name.encode("utf-16-le")) // 2 > _LONGEST_NAME:
            raise FatError(f"the file name '{name}' is longer than FAT's {_LONGEST_NAME} characters")
        if path.upper() in seen:
            raise FatError(f"'{name}' is in the same folder twice (FAT does not tell cases apart)")
        seen.add(path.upper())


def _check_boot_code(stage1: bytes, stage2: bytes) -> None:
    if len(stage1) != SECTOR or stage1[-2:] != b"\x55\xaa":
        raise FatError(f"stage1 must be one sector of {SECTOR} bytes that ends with 55 AA")
    if any(stage1[_DISK_SIGNATURE : SECTOR - 2]):
        raise FatError(f"stage1 must leave bytes {_DISK_SIGNATURE} to 509 zero for the partition table")
    if len(stage2) > STAGE2_SECTORS * SECTOR:
        raise FatError(f"stage2 is {len(stage2)} bytes; stage1 loads {STAGE2_SECTORS * SECTOR}")


@dataclass(frozen=True)
class _Volume:
    """What is formatted: bits of the FAT's entries, sectors of a cluster and of the partition."""

    bits: int
    cluster: int
    sectors: int


def _choose_volume(sizes: list[int], free: int = FREE_SPACE, least: int = 0) -> _Volume:
    """The smallest that holds the files, leaves `free` bytes and has `least`; FAT32 where FAT16 cannot."""
    clusters = [(16, MIN_CLUSTER << i) for i in range((MAX_CLUSTER // MIN_CLUSTER).bit_length())]
    for bits, cluster in [*clusters, (32, FAT32_CLUSTER)]:
        data = sum(math.ceil(size / cluster) * cluster for size in sizes) + free
        fats = data // cluster * 4 * 2 if bits == 32 else 0
        total = math.ceil(max(MIN_PARTITION, least, data + fats + MEBIBYTE) / MEBIBYTE) * MEBIBYTE
        if bits == 32 or total // cluster <= MAX_CLUSTERS:
            break
    if total // SECTOR > MAX_SECTORS:
        raise FatError(f"{total} bytes are more than a partition (2 TiB) holds")
    return _Volume(bits, cluster // SECTOR, total // SECTOR)


def _boot_code(stage1: bytes, stage2: bytes, disk_signature: bytes, volume: _Volume) -> bytes:
    """Stage1 with the partition table in its place, and stage2 in the sectors behind it."""
    sectors = volume.sectors
    code = bytearray(stage1 + stage2)
    struct.pack_into("<I", code, _DISK_SECTORS, PARTITION_LBA + sectors)
    code[_DISK_SIGNATURE:PARTITION_TABLE] = disk_signature + b"\0\0"
    first, last = _chs(PARTITION_LBA), _chs(PARTITION_LBA + sectors - 1)
    entry = (0x80, first, PARTITION_TYPES[volume.bits], last, PARTITION_LBA, sectors)
    struct.pack_into("<B3sB3sII", code, PARTITION_TABLE, *entry)
    return bytes(code)


def _store_files(target: Path, folders: list[str], files: Mapping[str, bytes]) -> None:
    """The first file is written before any folder, and then moved to its place."""
    first = next(iter(files), None)
    if first:
        write_file(target, _FIRST, files[first])
    if folders:
        mtools("mmd", target, *(f"::{folder}" for folder in folders))
    if first:
        mtools("mmove", target, f"::{_FIRST}", f"::{first}")
    for path, content in files.items():
        if path != first:
            write_file(target, path, content)


def build_image(
    target: Path, stage1: bytes, stage2: bytes, tree: Mapping[str, bytes], room: int = 0, *, least: int = 0
) -> None:
    """Writes a disk image that boots stage1 and holds `tree`: path to contents, "/profile/" for an empty
    folder. Besides FREE_SPACE, `room` bytes are left. The partition has `least` bytes or more; it is FAT32 if
    it is larger than FAT16 can be.

    With both of KERNELS in the tree it gets the record by which the loader chooses.

    Raises FatError for a path or a file FAT cannot hold, for boot code of a wrong size, and for too much
    data.
    """
    _check_boot_code(stage1, stage2)
    digest = hashlib.sha256(stage1 + stage2)
    for path, content in tree.items():
        if path.endswith("/") and content:
            raise FatError(f"'{path}' is a folder (it ends with '/') and cannot have contents")
        digest.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
    folders = _folders(list(tree))
    files = {path: content for path, content in tree.items() if not path.endswith("/")}
    _check_names([*folders, *files])
    for path, content in files.items():
        if len(content) > MAX_FILE:
            raise FatError(f"'{path}' has {len(content)} bytes; a file on FAT ends before 4 GiB")
    sizes = [*map(len, files.values()), *(SECTOR for _ in folders)]
    volume = _choose_volume(sizes, FREE_SPACE + room, least)
    with target.open("wb") as image:
        image.write(_boot_code(stage1, stage2, digest.digest()[4:8], volume))
        if set(KERNELS) <= tree.keys():
            image.seek(LBA * SECTOR)
            image.write(BootSlots().encode())
        image.truncate((PARTITION_LBA + volume.sectors) * SECTOR)
    geometry = f"-T {volume.sectors} -h {HEADS} -s {SECTORS_PER_TRACK} -H {PARTITION_LBA}"
    kind = "-F" if volume.bits == 32 else f"-r {ROOT_SECTORS}"
    options = f"{kind} -c {volume.cluster} -m 0xf8 -v BAREFLOW -N {digest.hexdigest()[:8]}"
    mtools("mformat", target, *geometry.split(), *options.split(), "::")
    _store_files(target, folders, files)
