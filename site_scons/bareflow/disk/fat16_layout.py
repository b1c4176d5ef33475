"""FAT16 on-disk structures shared by the image builder and the image reader.

Source: Microsoft, "FAT: General Overview of On-Disk Format", version 1.03 (2000), and the "System"
area of a PC hard disk (partition table at offset 446 of sector 0).
"""

import struct
from dataclasses import dataclass

from bareflow.errors import BareFlowError

SECTOR = 512
PARTITION_LBA = 2048
"""First sector of the FAT16 partition: 1 MiB, as every partitioning tool aligns it."""

PARTITION_TABLE = 446
DISK_SIGNATURE = 440
PARTITION_TYPE = 0x0E
"""FAT16 with LBA."""

SECTORS_PER_TRACK = 32
HEADS = 64
"""With 32 x 64 a cylinder is exactly 1 MiB, so that partitions of whole mebibytes are whole cylinders (mtools
insists on whole tracks)."""

ROOT_ENTRIES = 512
ENTRY = 32
RESERVED_SECTORS = 1
FAT_COUNT = 2
MEDIA = 0xF8
"""Fixed disk."""
MIN_CLUSTERS = 4085
MAX_CLUSTERS = 65524
"""By definition a FAT file system is FAT16 exactly when its cluster count lies in this range."""

END_OF_CHAIN = 0xFFFF
FIRST_CLUSTER = 2

ATTRIBUTE_VOLUME = 0x08
ATTRIBUTE_DIRECTORY = 0x10
ATTRIBUTE_ARCHIVE = 0x20
ATTRIBUTE_LONG_NAME = 0x0F

CASE_BASE_LOWER = 0x08
CASE_EXTENSION_LOWER = 0x10
"""Byte 12 of an entry: the short name is shown in lower case (Windows NT's convention)."""

BPB_FORMAT = "<3s8sHBHBHHBHHHII"
"""Jump, OEM name, then the BIOS parameter block up to the 32-bit sector count."""
BPB_SECTORS = 32
"""Where that count is."""

NAME_OFFSETS = (*range(1, 11, 2), *range(14, 26, 2), *range(28, 32, 2))
"""Where a long-name entry keeps its thirteen UTF-16 units."""


class Fat16Error(BareFlowError):
    """The tree does not fit a FAT16 image, or an image is not one that can be read."""


@dataclass(frozen=True)
class Layout:
    """Where things are in a FAT16 partition; all values in sectors unless named otherwise."""

    sectors_per_cluster: int
    fat_sectors: int
    total_sectors: int

    @property
    def root_start(self) -> int:
        return RESERVED_SECTORS + FAT_COUNT * self.fat_sectors

    @property
    def data_start(self) -> int:
        return self.root_start + ROOT_ENTRIES * ENTRY // SECTOR

    @property
    def cluster_bytes(self) -> int:
        return self.sectors_per_cluster * SECTOR

    @property
    def clusters(self) -> int:
        return (self.total_sectors - self.data_start) // self.sectors_per_cluster

    def cluster_offset(self, cluster: int) -> int:
        """Byte offset, in the disk image, of a cluster's first byte."""
        sector = PARTITION_LBA + self.data_start + (cluster - FIRST_CLUSTER) * self.sectors_per_cluster
        return sector * SECTOR


def chs(lba: int) -> bytes:
    """The three-byte cylinder/head/sector form of a partition table entry, saturated at its limit."""
    cylinder, rest = divmod(lba, HEADS * SECTORS_PER_TRACK)
    head, sector = divmod(rest, SECTORS_PER_TRACK)
    if cylinder > 1023:
        return b"\xfe\xff\xff"
    return struct.pack("<BBB", head, (sector + 1) | (cylinder >> 2 & 0xC0), cylinder & 0xFF)
