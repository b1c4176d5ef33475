"""Edits and reads a disk image's FAT partition with mtools: an implementation of FAT which is not ours."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from bareflow.disk.generations import read_generation
from sparse_copy import copy_sparse

PARTITION_OFFSET = 2048 * 512  # bytes; the partition begins at LBA 2048

BY_DRIVER = {
    "ide": "ATA disk by DMA",
    "ahci": "AHCI disk",
    "virtio-blk": "virtio disk",
    "nvme": "NVMe disk",
    "nvme-4096": "NVMe disk",
}
"""What the guest calls a disk that it has a driver for, by the name of QEMU's way to attach it."""


class DiskImage:
    """A disk image that a test may change."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def copy(cls, source: Path, target: Path) -> DiskImage:
        """A private copy of an image."""
        copy_sparse(source, target)
        return cls(target)

    def _mtools(self, program: str, *arguments: str, data: bytes | None = None) -> bytes:
        result = subprocess.run(
            [program, "-i", f"{self.path}@@{PARTITION_OFFSET}", *arguments],
            input=data,
            capture_output=True,
            timeout=60,
        )
        if result.returncode != 0:
            raise AssertionError(f"{program} {' '.join(arguments)}: {result.stderr.decode(errors='replace')}")
        return result.stdout

    def write(self, path: str, data: bytes) -> None:
        """Makes or replaces a file ("/model/model.bin")."""
        self._mtools("mcopy", "-o", "-", f"::{path}", data=data)

    def read(self, path: str) -> bytes:
        """The contents of a file."""
        return self._mtools("mcopy", "-n", f"::{path}", "-")

    def newest(self, path: str) -> bytes:
        """The newest generation of a file that the guest keeps two of; empty without any."""
        return read_generation(self.path, path)

    def delete(self, path: str) -> None:
        """Removes a file."""
        self._mtools("mdel", f"::{path}")

    def free_bytes(self) -> int:
        """How much another file can hold."""
        match = re.search(r"([\d ]+) bytes free", self._mtools("mdir", "::/").decode())
        assert match is not None
        return int(match[1].replace(" ", ""))

    def listing(self, path: str) -> list[str]:
        """Full names of what is in a folder."""
        return self._mtools("mdir", "-b", f"::{path}").decode().split()

    def tree(self) -> list[str]:
        """Full names of all files, and of folders, which end with "/"."""
        names = self._mtools("mdir", "-b", "-s", "::/").decode().splitlines()
        return [name.removeprefix("::") for name in names]

    def patch(self, offset: int, data: bytes) -> None:
        """Overwrites bytes of the image itself, counted from its start."""
        with self.path.open("r+b") as file:
            file.seek(offset)
            file.write(data)

    def first_cluster(self, path: str) -> int:
        """Where a file begins; the file must not be empty."""
        clusters = self._mtools("mshowfat", f"::{path}").decode()
        match = re.search(r"<(\d+)", clusters)
        assert match is not None, clusters
        return int(match[1])

    def fragments(self, path: str) -> int:
        """In how many pieces a file lies on the disk."""
        return self._mtools("mshowfat", f"::{path}").count(b"<")

    def _boot_sector(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(PARTITION_OFFSET)
            return file.read(512)

    def file_offset(self, path: str) -> int:
        """Where in the image a file's first cluster lies; the file must not be empty."""
        boot = self._boot_sector()

        def number(offset: int, size: int) -> int:
            return int.from_bytes(boot[offset : offset + size], "little")

        # FAT specification 1.03, section 3.5: reserved sectors, FATs, root directory, data.
        sector = number(11, 2)
        root_sectors = -(-number(17, 2) * 32 // sector)
        fat_sectors = number(22, 2) or number(36, 4)  # of FAT16, of FAT32
        data_sector = number(14, 2) + number(16, 1) * fat_sectors + root_sectors
        return PARTITION_OFFSET + (data_sector + (self.first_cluster(path) - 2) * number(13, 1)) * sector
