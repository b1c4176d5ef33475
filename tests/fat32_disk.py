"""Bootable disks with a FAT32 partition, formatted by mkfs.fat as Windows formats a stick."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

from bareflow.disk.fat_image import PARTITION_TABLE
from disk_tools import PARTITION_OFFSET, DiskImage
from loader_disk import LoaderDisk, boot_code

SECTOR = 512
FIRST = PARTITION_OFFSET // SECTOR
LBA = 0x0C
"""The partition's type."""
LEAST_CLUSTERS = 65600
RESERVED_BITS = 0xA0000000
"""Of an entry of the FAT: whoever writes it must keep them."""


class Fat32Disk(LoaderDisk):
    @classmethod
    def format(
        cls, path: Path, files: dict[str, bytes], *, cluster: int, clusters: int, loader: bytes = b""
    ) -> Fat32Disk:
        """The loader, as it was built if none is given, and a file system of that many clusters of that many
        bytes (about); all entries of its FATs have reserved bits set. "/profile/" is an empty folder. mtools
        know FAT32 by 65525 clusters or more."""
        sectors = (clusters + 40) * cluster // SECTOR + clusters * 8 // SECTOR + 100
        with path.open("wb") as file:
            file.write(loader or b"".join(boot_code()))
            file.truncate(-(-(FIRST + sectors) * SECTOR // 4096) * 4096)  # a disk with such sectors, too
        options = ["-F", "32", "-s", str(cluster // SECTOR), "-h", str(FIRST), "--offset", str(FIRST)]
        command = ["/usr/sbin/mkfs.fat", *options, str(path), str(sectors // 2)]
        subprocess.run(command, check=True, capture_output=True)
        disk = cls(path)
        disk.patch(PARTITION_TABLE, struct.pack("<B3xB3xII", 0x80, LBA, FIRST, sectors))
        # (With the x, the folder "/model/" is a parent as well.)
        folders = {parent for name in files for parent in Path(f"{name}x").parents} - {Path("/")}
        for folder in sorted(folders):
            disk._mtools("mmd", f"::{folder}")
        for name, content in files.items():
            if not name.endswith("/"):
                disk.write(name, content)
        disk.set_reserved_bits()
        return disk

    @classmethod
    def of(cls, image: DiskImage, path: Path) -> Fat32Disk:
        """Another disk's loader, and its files in about the smallest file system that is FAT32 for
        everybody."""
        with image.path.open("rb") as file:
            loader = file.read(PARTITION_OFFSET)
        files = {name: b"" if name.endswith("/") else image.read(name) for name in image.tree()}
        return cls.format(path, files, cluster=512, clusters=LEAST_CLUSTERS, loader=loader)

    def table(self, copy: int = 0) -> tuple[int, int]:
        """Where in the image a FAT lies, and its bytes."""
        size = self._bpb(36, 4) * SECTOR
        return PARTITION_OFFSET + self._bpb(14, 2) * SECTOR + copy * size, size

    def entries(self, copy: int = 0) -> list[int]:
        """A FAT's entries, with reserved bits."""
        start, size = self.table(copy)
        with self.path.open("rb") as file:
            file.seek(start)
            return [entry for (entry,) in struct.iter_unpack("<I", file.read(size))]

    def set_entries(self, entries: list[int]) -> None:
        """Writes both FATs."""
        for copy in range(2):
            self.patch(self.table(copy)[0], struct.pack(f"<{len(entries)}I", *entries))

    def set_reserved_bits(self) -> None:
        self.set_entries([entry & 0x0FFFFFFF | RESERVED_BITS for entry in self.entries()])

    def link(self, cluster: int, following: int) -> None:
        for copy in range(2):
            value = following & 0x0FFFFFFF | RESERVED_BITS
            self.patch(self.table(copy)[0] + cluster * 4, struct.pack("<I", value))

    def set_first_cluster(self, name: bytes, cluster: int) -> None:
        self.set_entry(name, 20, "<H", cluster >> 16)
        self.set_entry(name, 26, "<H", cluster & 0xFFFF)

    def use_only_table(self, copy: int) -> None:
        """Makes this FAT the only one in use, and the other one nonsense."""
        start, size = self.table(1 - copy)
        self.patch(start, b"\x5a" * size)
        self.patch(PARTITION_OFFSET + 40, struct.pack("<H", 0x80 | copy))
