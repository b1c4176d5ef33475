"""FAT32, which loader and kernel read and the kernel writes."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from bareflow.disk import fat_image
from bareflow.qemu.guest import Guest
from copied_file import CONTENTS, COPY, INPUT
from disk_tools import PARTITION_OFFSET, DiskImage
from fat32_disk import LEAST_CLUSTERS, RESERVED_BITS, Fat32Disk
from fixture_types import Boot, GuestImage
from loader_disk import KERNEL, KERNEL_NAME, boot_code, kernel, payload
from loader_messages import BAD_BOOT_SECTOR, BAD_CHAIN, NO_KERNEL, expect_error
from profile_tools import beyond_a_cut, fsck


@pytest.fixture
def files_kernel(guest_image: GuestImage) -> bytes:
    return guest_image("disk_files").with_suffix(".krn").read_bytes()


def copies(guest: Guest, image: DiskImage) -> None:
    assert guest.wait_exit() == 0, guest.serial
    guest.expect("^written ok\n")
    assert image.read(COPY) == CONTENTS
    assert image.read(INPUT) == CONTENTS


@pytest.mark.parametrize("cluster", [512, 4096, 65536])
@pytest.mark.parametrize("drive", ["ide", "nvme-4096", "usb-storage"])
def test_a_formatted_stick(boot: Boot, tmp_path: Path, files_kernel: bytes, cluster: int, drive: str) -> None:
    files = {KERNEL: files_kernel, INPUT: CONTENTS}
    disk = Fat32Disk.format(tmp_path / "disk.img", files, cluster=cluster, clusters=LEAST_CLUSTERS)
    copies(boot(disk, drive=drive, snapshot=False), disk)
    assert all(entry & 0xF0000000 == RESERVED_BITS for entry in disk.entries())
    assert disk.entries(0) == disk.entries(1)
    # Through the BIOS the clusters of the first copy stay allocated (docs/disk.md).
    assert beyond_a_cut(fsck(disk.path, tmp_path)) == []
    assert drive == "usb-storage" or fsck(disk.path, tmp_path) == []


def test_a_disk_larger_than_fat16(boot: Boot, tmp_path: Path, files_kernel: bytes) -> None:
    """As the image builder makes it. The file is beyond the first 4 GiB: the clusters there are marked as
    bad."""
    path = tmp_path / "disk.img"
    fat_image.build_image(path, *boot_code(), {KERNEL: files_kernel, "/profile/": b""}, least=5 << 30)
    disk = Fat32Disk(path)
    entries = disk.entries()
    cluster = disk._bpb(13, 1) * 512
    beyond = range(0, (4 << 30) // cluster)
    disk.set_entries([entry or (0x0FFFFFF7 if i in beyond else 0) for i, entry in enumerate(entries)])
    disk.write(INPUT, CONTENTS)
    assert disk.file_offset(INPUT) > 4 << 30
    copies(boot(disk, snapshot=False), disk)
    assert disk.file_offset(COPY) > 4 << 30
    assert fsck(path, tmp_path) == []


# ---- The loader ----


def loader_disk(tmp_path: Path, code: bytes) -> Fat32Disk:
    files = {KERNEL: code, "/x": b"x"}
    return Fat32Disk.format(tmp_path / "disk.img", files, cluster=512, clusters=70_000)


@pytest.mark.parametrize("drive", ["ide", "virtio-blk", "nvme-4096"])
def test_fragmented_kernel(boot: Boot, tmp_path: Path, drive: str) -> None:
    disk = loader_disk(tmp_path, kernel(payload(200_000)))
    disk.reverse(KERNEL, KERNEL_NAME)
    guest = boot(disk, drive=drive)
    assert guest.wait_exit() == 0, guest.serial


def test_clusters_beyond_16_bits(boot: Boot, tmp_path: Path) -> None:
    """The kernel and its folder are there, and the root directory has more than one cluster."""
    disk = loader_disk(tmp_path, b"")
    disk.delete(KERNEL)
    disk._mtools("mrd", "::/boot")
    for number in range(20):
        disk.write(f"/a rather long name, the one with number {number}", b"x")
    entries = disk.entries()
    disk.set_entries(
        [entry if entry & 0x0FFFFFFF or i > 65600 else 0x0FFFFFF7 for i, entry in enumerate(entries)]
    )
    disk._mtools("mmd", "::/boot")
    disk.write(KERNEL, kernel(payload(200_000)))
    assert min(disk.chain("/boot") + disk.chain(KERNEL)) > 65600
    guest = boot(disk)
    assert guest.wait_exit() == 0, guest.serial


@pytest.mark.parametrize("copy", [0, 1])
def test_only_one_fat_in_use(boot: Boot, tmp_path: Path, copy: int) -> None:
    disk = loader_disk(tmp_path, kernel(payload(200_000)))
    disk.use_only_table(copy)
    guest = boot(disk)
    assert guest.wait_exit() == 0, guest.serial


@pytest.mark.parametrize("following", ["itself", 0, 1, 0x0FFFFFF7, 0x0FFFFFF6, 80_000])
def test_damaged_chain(boot: Boot, tmp_path: Path, following: int | str) -> None:
    disk = loader_disk(tmp_path, kernel(payload(20_000)))
    second = disk.chain(KERNEL)[1]
    disk.link(second, second if following == "itself" else int(following))
    expect_error(boot(disk), BAD_CHAIN)


def test_cyclic_root_directory(boot: Boot, tmp_path: Path) -> None:
    """It is full, /boot is not in it, and its chain has no end."""
    disk = loader_disk(tmp_path, b"")
    disk.delete(KERNEL)
    disk._mtools("mrd", "::/boot")
    disk.delete("/x")
    for number in range(16):  # with 512 bytes a cluster
        disk.write(f"/F{number}", b"")
    disk.link(2, 2)
    expect_error(boot(disk), BAD_CHAIN)


def test_no_kernel(boot: Boot, tmp_path: Path) -> None:
    disk = loader_disk(tmp_path, b"")
    disk.delete(KERNEL)
    expect_error(boot(disk), NO_KERNEL)


@pytest.mark.parametrize(
    ("offset", "form", "value"),
    [
        (36, "<I", 1),  # FATs too short for the clusters
        (36, "<I", 0x80000000),  # so long that two of them have no sectors in 32 bits
        (40, "<H", 0x82),  # the third FAT is in use
        (42, "<H", 1),  # version 0.1
    ],
)
def test_damaged_boot_sector(boot: Boot, tmp_path: Path, offset: int, form: str, value: int) -> None:
    disk = loader_disk(tmp_path, kernel(b""))
    disk.patch(PARTITION_OFFSET + offset, struct.pack(form, value))
    expect_error(boot(disk), BAD_BOOT_SECTOR)


def test_root_directory_that_begins_nowhere(boot: Boot, tmp_path: Path) -> None:
    disk = loader_disk(tmp_path, kernel(b""))
    disk.patch(PARTITION_OFFSET + 44, struct.pack("<I", 1))
    expect_error(boot(disk), BAD_CHAIN)
