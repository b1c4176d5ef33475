"""stage1 and stage2: kernels that must start, in a defined state."""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path
from random import Random

import pytest
from fixture_types import Boot
from loader_disk import KERNEL, KERNEL_NAME, LoaderDisk, kernel, payload

MIB = 1 << 20
BPB, BPB_END = 0x0B, 0x3E  # in the first sector
# boot/boot_info.h, up to the memory map.
BOOT_INFO_ADDRESS = 0x1000
BOOT_INFO_FORMAT = "<QHHBBHHHIIHBBQQQQQ11sB4x"
REGION_FORMAT = "<QQII"
REGION_USABLE = 1


@pytest.mark.parametrize("size", [0, 127 * 512 - 1000, 300_000, 20 * MIB])
def test_kernel_of_any_size(boot: Boot, tmp_path: Path, size: int) -> None:
    disk = LoaderDisk.create(tmp_path / "disk.img", {KERNEL: kernel(payload(size), bss=100_000)})
    guest = boot(disk)
    assert guest.wait_exit() == 0, guest.serial
    dots = "." * (size // MIB)  # one for every MiB, and then a new line
    assert guest.serial == (f"{dots}\n" if dots else "") + "kernel runs\n"


def test_kernel_of_60_mb_is_fast(boot: Boot, tmp_path: Path) -> None:
    disk = LoaderDisk.create(tmp_path / "disk.img", {KERNEL: kernel(payload(60_000_000))})
    guest = boot(disk, memory=128)
    guest.expect("^kernel runs$", timeout=20)
    assert guest.wait_exit() == 0


@pytest.mark.parametrize("length", range(8))
def test_crc_of_every_length(boot: Boot, tmp_path: Path, length: int) -> None:
    """The loader takes eight bytes a step: what is left over must count as well."""
    disk = LoaderDisk.create(tmp_path / "disk.img", {KERNEL: kernel(payload(length))})
    guest = boot(disk)
    assert guest.wait_exit() == 0, guest.serial


@pytest.mark.parametrize("drive", ["ide", "virtio-blk", "nvme-4096", "floppy"])
def test_fragmented_kernel(boot: Boot, tmp_path: Path, drive: str) -> None:
    disk = LoaderDisk.create(tmp_path / "disk.img", {KERNEL: kernel(payload(200_000))})
    disk.reverse(KERNEL, KERNEL_NAME)
    guest = boot(disk, drive=drive)
    assert guest.wait_exit() == 0, guest.serial


@pytest.mark.parametrize("drive", ["ide", "ide-slave"])
def test_ide_disk_is_read_by_dma(boot: Boot, tmp_path: Path, drive: str) -> None:
    """On either channel the loader finds the bus master; QEMU notes each of its transfers."""
    code = kernel(payload(60_000))
    disk = LoaderDisk.create(tmp_path / "disk.img", {KERNEL: code})
    log = tmp_path / "trace"
    guest = boot(disk, drive=drive, extra=["-trace", "ide_dma_cb", "-D", str(log)])
    assert guest.wait_exit() == 0, guest.serial
    lba, sectors = disk.file_offset(KERNEL) // 512, math.ceil(len(code) / 512)
    assert f"sector_num={lba} n={sectors} cmd=DMA READ" in log.read_text()


@pytest.mark.parametrize(
    ("machine", "drive"),
    [
        ("pc", "ide"),
        ("pc", "ide-slave"),
        ("pc", "ahci"),
        ("pc", "virtio-blk"),
        ("pc", "usb-storage"),
        ("pc", "nvme"),
        ("pc", "nvme-4096"),
        ("pc", "floppy"),
        ("q35", "ahci"),
        ("q35", "virtio-blk"),
        ("q35", "usb-storage"),
        ("q35", "nvme"),
    ],
)
def test_every_kind_of_disk(boot: Boot, tmp_path: Path, machine: str, drive: str) -> None:
    disk = LoaderDisk.create(tmp_path / "disk.img", {KERNEL: kernel(payload(300_000))})
    guest = boot(disk, machine=machine, drive=drive)
    assert guest.wait_exit() == 0, guest.serial


@pytest.mark.parametrize(("memory", "track"), [(4, 36), (16, 18), (8192, 36)])
@pytest.mark.parametrize("drive", ["ide", "floppy"])
def test_boot_information(boot: Boot, tmp_path: Path, memory: int, drive: str, track: int) -> None:
    """Disks with the extensions, and diskettes on whose first track stage2 fits or does not."""
    code = kernel(payload(5000), "-DSTAY", bss=70_000)
    disk = LoaderDisk.create(tmp_path / "disk.img", {KERNEL: code})
    # Of two FAT16 partitions the active one; a GPT's protective entry overlaps it, which is as it should be.
    sectors = disk.path.stat().st_size // 512
    disk.set_partitions(
        (0, 0xEE, 1, sectors - 1),
        (0, 0x06, 64, 1984),
        (0x80, 0x0E, 2048, sectors - 2048),
        (0x80, 0x83, 63, 1),
    )
    if drive == "floppy" and track == 18:  # by its size QEMU takes it for one of 1.44 MB
        os.truncate(disk.path, 2880 * 512)
    # Some BIOSes write into stage1, where a diskette has a BIOS parameter block.
    disk.patch(BPB, Random(f"{drive} {memory}").randbytes(BPB_END - BPB))
    guest = boot(disk, drive=drive, memory=memory)
    guest.expect("^kernel runs$")

    size = struct.calcsize(BOOT_INFO_FORMAT)
    block = guest.read_memory(BOOT_INFO_ADDRESS, size + 64 * struct.calcsize(REGION_FORMAT))
    (
        magic,
        version,
        filled,
        drive_number,
        flags,
        cursor,
        sectors_per_track,
        heads,
        partition_lba,
        partition_sectors,
        region_count,
        boot_slot,
        slots_passed_over,
        stage1_tsc,
        kernel_tsc,
        base,
        image_size,
        memory_size,
        kernel_name,
        kernel_folder,
    ) = struct.unpack_from(BOOT_INFO_FORMAT, block)
    assert magic == int.from_bytes(b"BOOTINFO", "little")
    assert version == 3
    if drive == "ide":
        assert (drive_number, flags, sectors_per_track, heads) == (0x80, 1, 0, 0)
    else:
        assert (drive_number, flags, sectors_per_track, heads) == (0x00, 0, track, 2)
    assert cursor == cursor & 0x1F7F
    assert cursor >> 8 > 0, "the BIOS has written on the screen"
    assert partition_lba == 2048
    assert partition_sectors == sectors - 2048
    assert (boot_slot, slots_passed_over) == (0, 0)
    assert 0 < stage1_tsc < kernel_tsc
    assert base == 0x100000
    assert image_size == len(code)
    assert memory_size == len(code) + 70_000
    assert (kernel_name, kernel_folder) == (KERNEL_NAME, 0)

    assert 0 < region_count <= 64
    assert filled == size + region_count * struct.calcsize(REGION_FORMAT)
    regions = [struct.unpack_from(REGION_FORMAT, block, size + 24 * i) for i in range(region_count)]
    usable = sum(length for _, length, kind, _ in regions if kind == REGION_USABLE)
    assert (memory - 1) * MIB < usable <= memory * MIB
    assert all(length > 0 for _, length, _, _ in regions)
