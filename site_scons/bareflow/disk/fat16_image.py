"""Builds a bootable disk image: MBR with stage1, stage2 behind it, one FAT16 partition at 1 MiB.

The image depends on nothing but the arguments: no clock, no random numbers. Files lie in one piece each, in
the order given, before every directory, so that the kernel, named first, is at the start of the disk, where
even a floppy drive's BIOS reaches it.
"""

import hashlib
import math
import struct
from dataclasses import dataclass, field

from bareflow.disk.boot_slots import KERNELS, LBA, BootSlots
from bareflow.disk.fat16_layout import (
    ATTRIBUTE_ARCHIVE,
    ATTRIBUTE_DIRECTORY,
    ATTRIBUTE_VOLUME,
    BPB_FORMAT,
    BPB_SECTORS,
    DISK_SIGNATURE,
    END_OF_CHAIN,
    ENTRY,
    FAT_COUNT,
    FIRST_CLUSTER,
    HEADS,
    MAX_CLUSTERS,
    MEDIA,
    MIN_CLUSTERS,
    PARTITION_LBA,
    PARTITION_TABLE,
    PARTITION_TYPE,
    RESERVED_SECTORS,
    ROOT_ENTRIES,
    SECTOR,
    SECTORS_PER_TRACK,
    Fat16Error,
    Layout,
    chs,
)
from bareflow.disk.fat16_names import encode_name
from bareflow.disk.fat16_reader import list_directory, read_file

__all__ = ["Fat16Error", "build_image", "list_directory", "read_file"]

STAGE2_SECTORS = 20
MEBIBYTE = 1 << 20
MIN_PARTITION = 16 * MEBIBYTE
MIN_CLUSTER = 2048
MAX_CLUSTER = 32768
FREE_SPACE = 8 * MEBIBYTE
"""What an image has left for the files that the guest writes: profiles, logits, snapshots."""

_VOLUME_LABEL = b"BAREFLOW   "
_DATE = 1 << 5 | 1
"""1 January 1980, the first day that FAT knows: contents alone decide an image's bytes."""


@dataclass
class _File:
    name: str
    content: bytes
    cluster: int = 0


@dataclass
class _Directory:
    name: str
    parent: "_Directory | None" = None
    folders: "dict[str, _Directory]" = field(default_factory=dict)
    files: list[_File] = field(default_factory=list)
    cluster: int = 0

    def encode(self) -> bytes:
        """The directory's entries, with the clusters that its files and folders have by now."""
        taken: set[bytes] = set()
        if self.parent is None:
            out = bytearray(_entry(_VOLUME_LABEL, ATTRIBUTE_VOLUME, 0, 0, 0))
        else:
            out = bytearray(_entry(b".".ljust(11), ATTRIBUTE_DIRECTORY, 0, self.cluster, 0))
            out += _entry(b"..".ljust(11), ATTRIBUTE_DIRECTORY, 0, self.parent.cluster, 0)
        for folder in self.folders.values():
            short, case, long_entries = encode_name(folder.name, taken)
            out += long_entries + _entry(short, ATTRIBUTE_DIRECTORY, case, folder.cluster, 0)
        for file in self.files:
            short, case, long_entries = encode_name(file.name, taken)
            out += long_entries + _entry(short, ATTRIBUTE_ARCHIVE, case, file.cluster, len(file.content))
        return bytes(out)


def _entry(short: bytes, attributes: int, case: int, cluster: int, size: int) -> bytes:
    dates = (0, 0, _DATE, _DATE, 0, 0, _DATE)
    return struct.pack("<11sBBBHHHHHHHI", short, attributes, case, *dates, cluster, size)


def _grow_tree(tree: dict[str, bytes]) -> tuple[list[_Directory], list[_File]]:
    """The tree's directories, root first and parents before children, and its files in the order given."""
    directories = [_Directory("")]
    files = []
    for path, content in tree.items():
        *folders, name = path.lstrip("/").split("/")
        directory = directories[0]
        for folder in folders:
            if folder not in directory.folders:
                directory.folders[folder] = _Directory(folder, directory)
                directories.append(directory.folders[folder])
            directory = directory.folders[folder]
        if name:
            directory.files.append(_File(name, content))
            files.append(directory.files[-1])
        elif content:
            raise Fat16Error(f"'{path}' is a folder (it ends with '/') and cannot have contents")
    return directories, files


def _choose_layout(sizes: list[int]) -> Layout:
    """The smallest clusters, and with them the smallest partition, that hold these sizes and FREE_SPACE."""
    cluster = MIN_CLUSTER
    while cluster <= MAX_CLUSTER:
        data = sum(math.ceil(size / cluster) * cluster for size in sizes) + FREE_SPACE
        total = max(MIN_PARTITION, data + MEBIBYTE)
        total_sectors = math.ceil(total / MEBIBYTE) * MEBIBYTE // SECTOR
        fat_sectors = math.ceil((total_sectors // (cluster // SECTOR) + FIRST_CLUSTER) * 2 / SECTOR)
        layout = Layout(cluster // SECTOR, fat_sectors, total_sectors)
        if MIN_CLUSTERS <= layout.clusters <= MAX_CLUSTERS:
            return layout
        cluster *= 2
    raise Fat16Error(f"{sum(sizes)} bytes are more than a FAT16 partition (2 GiB) holds")


class _Writer:
    """Fills an image: hands out clusters in order and writes into them."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.image = bytearray((PARTITION_LBA + layout.total_sectors) * SECTOR)
        self.fat = [0xFF00 | MEDIA, END_OF_CHAIN]

    def allocate(self, size: int) -> int:
        """A chain of consecutive clusters for size bytes; its first cluster, or 0 for an empty file."""
        count = math.ceil(size / self.layout.cluster_bytes)
        if count == 0:
            return 0
        first = len(self.fat)
        self.fat.extend(range(first + 1, first + count))
        self.fat.append(END_OF_CHAIN)
        return first

    def store(self, offset: int, content: bytes) -> None:
        self.image[offset : offset + len(content)] = content

    def store_file_system(self, directories: list[_Directory], files: list[_File]) -> None:
        for file in files:
            file.cluster = self.allocate(len(file.content))
            if file.cluster:
                self.store(self.layout.cluster_offset(file.cluster), file.content)
        root, *folders = directories
        for folder in folders:
            folder.cluster = self.allocate(len(folder.encode()))
        for folder in folders:
            self.store(self.layout.cluster_offset(folder.cluster), folder.encode())
        root_bytes = root.encode()
        if len(root_bytes) > ROOT_ENTRIES * ENTRY:
            raise Fat16Error(f"the root folder holds at most {ROOT_ENTRIES} entries")
        self.store((PARTITION_LBA + self.layout.root_start) * SECTOR, root_bytes)
        table = struct.pack(f"<{len(self.fat)}H", *self.fat)
        for copy in range(FAT_COUNT):
            start = PARTITION_LBA + RESERVED_SECTORS + copy * self.layout.fat_sectors
            self.store(start * SECTOR, table)

    def store_boot_sector(self, volume_id: bytes) -> None:
        """The partition's first sector. It holds no code: the MBR's stage1 reads stage2 by itself."""
        layout = self.layout
        small_count = layout.total_sectors if layout.total_sectors < 0x10000 else 0
        bpb = struct.pack(
            BPB_FORMAT,
            b"\xeb\x3c\x90",
            b"BAREFLOW",
            SECTOR,
            layout.sectors_per_cluster,
            RESERVED_SECTORS,
            FAT_COUNT,
            ROOT_ENTRIES,
            small_count,
            MEDIA,
            layout.fat_sectors,
            SECTORS_PER_TRACK,
            HEADS,
            PARTITION_LBA,
            0 if small_count else layout.total_sectors,
        )
        extended = struct.pack("<BBB4s11s8s", 0x80, 0, 0x29, volume_id, _VOLUME_LABEL, b"FAT16   ")
        sector = (bpb + extended).ljust(SECTOR - 2, b"\0") + b"\x55\xaa"
        self.store(PARTITION_LBA * SECTOR, sector)

    def store_boot_code(self, stage1: bytes, stage2: bytes, disk_signature: bytes) -> None:
        """Stage1 with the partition table in its place, and stage2 in the sectors behind it."""
        self.store(0, stage1)
        self.store(SECTOR, stage2)
        self.store(BPB_SECTORS, struct.pack("<I", PARTITION_LBA + self.layout.total_sectors))
        self.store(DISK_SIGNATURE, disk_signature + b"\0\0")
        last = PARTITION_LBA + self.layout.total_sectors - 1
        partition = struct.pack(
            "<B3sB3sII",
            0x80,
            chs(PARTITION_LBA),
            PARTITION_TYPE,
            chs(last),
            PARTITION_LBA,
            self.layout.total_sectors,
        )
        self.store(PARTITION_TABLE, partition.ljust(64, b"\0") + b"\x55\xaa")


def _check_boot_code(stage1: bytes, stage2: bytes) -> None:
    if len(stage1) != SECTOR or stage1[-2:] != b"\x55\xaa":
        raise Fat16Error(f"stage1 must be one sector of {SECTOR} bytes that ends with 55 AA")
    if any(stage1[DISK_SIGNATURE : SECTOR - 2]):
        raise Fat16Error(f"stage1 must leave bytes {DISK_SIGNATURE} to 509 zero for the partition table")
    if len(stage2) > STAGE2_SECTORS * SECTOR:
        raise Fat16Error(f"stage2 is {len(stage2)} bytes; stage1 loads {STAGE2_SECTORS * SECTOR}")


def build_image(stage1: bytes, stage2: bytes, tree: dict[str, bytes]) -> bytes:
    """A disk image that boots stage1 and holds `tree`: path to contents, "profile/" for an empty folder.

    With both of KERNELS in the tree it gets the record by which the loader chooses.

    Raises Fat16Error for a path FAT16 cannot hold, for boot code of a wrong size, and for too much data.
    """
    _check_boot_code(stage1, stage2)
    digest = hashlib.sha256(stage1 + stage2)
    for path, content in tree.items():
        digest.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
    directories, files = _grow_tree(tree)
    sizes = [len(file.content) for file in files] + [len(folder.encode()) for folder in directories]
    writer = _Writer(_choose_layout(sizes))
    writer.store_file_system(directories, files)
    writer.store_boot_sector(volume_id=digest.digest()[:4])
    writer.store_boot_code(stage1, stage2, disk_signature=digest.digest()[4:8])
    if set(KERNELS) <= tree.keys():
        writer.store(LBA * SECTOR, BootSlots().encode())
    return bytes(writer.image)
