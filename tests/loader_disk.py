"""Kernels and disks for the loader's tests: assembled here, then damaged in one place."""

from __future__ import annotations

import hashlib
import os
import struct
import subprocess
import tempfile
import zlib
from functools import cache
from pathlib import Path

from bareflow.disk.fat_image import PARTITION_TABLE, build_image
from bareflow.layouts import write_nasm
from disk_tools import PARTITION_OFFSET, DiskImage

ROOT = Path(__file__).resolve().parents[1]
GUESTS = ROOT / "tests" / "boot" / "loader_guests"
KERNEL = "/boot/BAREFLOW.KRN"
KERNEL_NAME = b"BAREFLOWKRN"
FALLBACK = "/boot/FALLBACK.KRN"

# boot/kernel_header.h: field -> offset, format.
HEADER = {
    "signature": (0, "<I"),
    "version": (4, "<H"),
    "header_size": (6, "<H"),
    "flags": (8, "<I"),
    "crc32": (12, "<I"),
    "file_size": (16, "<Q"),
    "memory_size": (24, "<Q"),
    "load_address": (32, "<Q"),
    "entry": (40, "<Q"),
    "image_size": (64, "<Q"),
}
HEADER_SIZE = 72
COMPRESSED, I386 = 1, 2
BUILD = Path(os.environ.get("BAREFLOW_BUILD") or ROOT / "build" / "x86_64" / "native")
IS_64_BIT = BUILD.parent.name == "x86_64"
"""What the loader that is tested boots."""
FOR_THIS, FOR_ANOTHER = (0, I386) if IS_64_BIT else (I386, 0)
"""Flags of kernels that it boots, and that it does not."""
END = -1
"""All bits of an entry of the FAT."""


_INCLUDES = tempfile.TemporaryDirectory()


@cache
def include_folders() -> tuple[str, ...]:
    """Where NASM finds the project's include files, those that are made of C headers among them."""
    write_nasm(Path(_INCLUDES.name))
    return f"-I{ROOT}/", f"-I{_INCLUDES.name}/"


@cache
def assemble(source: Path, *options: str) -> bytes:
    """The flat binary of an assembler file."""
    with tempfile.TemporaryDirectory() as folder:  # after an error NASM deletes its output: no /dev/stdout
        output = Path(folder) / "output"
        command = ["nasm", "-f", "bin", *include_folders(), *options, "-o", str(output), str(source)]
        subprocess.run(command, check=True)
        return output.read_bytes()


def kernel(payload: bytes = b"", *options: str, bss: int = 0, **header: int) -> bytes:
    """The test kernel with this payload and .bss behind it; `header` overrides fields, and the CRC fits
    them unless crc32 is given."""
    code = _test_kernel(*options) + payload
    return _complete(code, {"image_size": len(code), "memory_size": len(code) + bss, **header})


def kernel_of_frame(frame: bytes, *options: str, **header: int) -> bytes:
    """A compressed kernel for this loader, with this Zstandard frame, or what other flags say; image_size and
    memory_size must be given."""
    code = _test_kernel(*options)[:HEADER_SIZE] + frame
    return _complete(code, {**header, "flags": header.get("flags", COMPRESSED) | FOR_THIS})


def _test_kernel(*options: str) -> bytes:
    return assemble(GUESTS / "kernel.asm", *options, *([] if IS_64_BIT else ["-DI386"]))


def _complete(kernel: bytes, header: dict[str, int]) -> bytes:
    """The kernel file with these fields in its header."""
    code = bytearray(kernel)
    fields = {"file_size": len(code), **header}
    for name, value in fields.items():
        offset, form = HEADER[name]
        struct.pack_into(form, code, offset, value)
    if "crc32" not in header:
        struct.pack_into("<I", code, HEADER["crc32"][0], zlib.crc32(code))
    return bytes(code)


def payload(size: int) -> bytes:
    """Bytes that do not repeat, so that a piece in a wrong place changes the CRC."""
    return hashlib.shake_128(b"payload").digest(size)


def boot_code() -> tuple[bytes, bytes]:
    """stage1 and stage2 as they were built."""
    stage1, stage2 = ((BUILD.parent / "boot" / f"{name}.bin").read_bytes() for name in ("stage1", "stage2"))
    return stage1, stage2


class LoaderDisk(DiskImage):
    """A bootable disk whose cluster chains and directory entries can be rewired."""

    @classmethod
    def create(cls, path: Path, files: dict[str, bytes]) -> LoaderDisk:
        """The loader as it was built, and these files."""
        build_image(path, *boot_code(), files)
        return cls(path)

    def chain(self, path: str) -> list[int]:
        """The clusters of a file or folder, as mtools sees them."""
        out = self._mtools("mshowfat", f"::{path}").decode().split("<", 1)[1].rstrip().rstrip(">")
        clusters: list[int] = []
        for part in out.replace("<", "").replace(">", "").replace(",", " ").split():
            first, _, last = part.partition("-")
            clusters += range(int(first), int(last or first) + 1)
        return clusters

    def set_partitions(self, *partitions: tuple[int, int, int, int]) -> None:
        """Rewrites the partition table: status, type, first sector and sectors of each."""
        table = b"".join(struct.pack("<B3xB3xII", *entry) for entry in partitions)
        self.patch(PARTITION_TABLE, table.ljust(64, b"\0"))

    def link(self, cluster: int, following: int) -> None:
        """Makes `following` the FAT's value for a cluster, in both FATs; END ends a chain."""
        fats, fat_sectors = self._bpb(16, 1), self._bpb(22, 2)
        for copy in range(fats):
            offset = (self._bpb(14, 2) + copy * fat_sectors) * 512 + cluster * 2
            self.patch(PARTITION_OFFSET + offset, struct.pack("<H", following & 0xFFFF))

    def set_entry(self, name: bytes, offset: int, form: str, value: int) -> None:
        """Writes a field of the directory entry with this 11-byte short name."""
        partition = self.path.read_bytes()[PARTITION_OFFSET:]  # stage2, before it, knows the name as well
        assert partition.count(name) == 1, "the name must be unique in the partition"
        self.patch(PARTITION_OFFSET + partition.index(name) + offset, struct.pack(form, value))

    def set_first_cluster(self, name: bytes, cluster: int) -> None:
        self.set_entry(name, 26, "<H", cluster)

    def reverse(self, path: str, name: bytes) -> None:
        """Stores a file's clusters in the opposite order on the disk: none is followed by its neighbour."""
        content, clusters = self.read(path), self.chain(path)
        start, size = self.file_offset(path), self._bpb(13, 1) * 512
        assert clusters == list(range(clusters[0], clusters[0] + len(clusters)))
        for index in range(len(clusters)):
            block = content[index * size : (index + 1) * size]
            self.patch(start + (len(clusters) - 1 - index) * size, block)
        for cluster in clusters[1:]:
            self.link(cluster, cluster - 1)
        self.link(clusters[0], END)
        self.set_first_cluster(name, clusters[-1])
        assert self.read(path) == content, "mtools must still read the same file"

    def _bpb(self, offset: int, size: int) -> int:
        return int.from_bytes(self._boot_sector()[offset : offset + size], "little")
