"""stage1 and stage2: whatever is wrong is said on the screen and on the serial line, and nothing starts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from bareflow.qemu.guest import Guest
from fixture_types import Boot
from loader_disk import FOR_ANOTHER, IS_64_BIT, KERNEL, KERNEL_NAME, LoaderDisk, kernel
from loader_messages import BAD_BOOT_SECTOR, BAD_CHAIN, NO_KERNEL, expect_error

PAYLOAD = bytes(range(256)) * 64
PARTITION_ENTRY = 446
PARTITION_OFFSET = 1 << 20

NO_PARTITION = "error: no FAT partition (type 04, 06, 0B, 0C or 0E); write the image again"
OVERLAP = "error: partitions overlap; write the image again"
BAD_SIGNATURE = (
    "error: /boot/BAREFLOW.KRN is no BareFlow kernel (no FLUD signature); copy a good kernel there"
)
BAD_VERSION = "error: /boot/BAREFLOW.KRN is for another version of this loader; copy a good kernel there"
TRUNCATED = (
    "error: /boot/BAREFLOW.KRN is truncated: its size is not what its header says; copy a good kernel there"
)
BAD_ADDRESSES = (
    "error: /boot/BAREFLOW.KRN has a header with impossible addresses or sizes; copy a good kernel there"
)
BAD_CRC = "error: /boot/BAREFLOW.KRN is corrupt (wrong CRC-32); copy a good kernel there"
NO_LONG_MODE = "error: this CPU has no long mode; use a 64-bit x86 CPU"
NO_SSE2 = "error: this CPU has no SSE2; use a Pentium 4 or later"
NO_PAE = "error: this CPU has no physical address extension (PAE); use another one"
LACKING = (
    {"qemu32": NO_LONG_MODE, "qemu64,-lm": NO_LONG_MODE, "pentium": NO_LONG_MODE}
    if IS_64_BIT
    else {"qemu32,-sse2": NO_SSE2, "qemu32,-cmov": NO_SSE2, "pentium3": NO_SSE2, "qemu32,-pae": NO_PAE}
)
"""What is said of CPUs, one of them older than CPUID's extended leaves or than SSE2."""


def expect_disk_error(guest: Guest) -> None:
    """The same for a failed read, with the BIOS's status, which differs between BIOSes."""
    found = guest.expect("^error: disk read failed, BIOS status 0x([0-9A-F]{2})\n")
    assert int(found[1], 16) != 0
    guest.expect_screen(f"^{re.escape(found[0].rstrip())}$")


def disk_with(tmp_path: Path, code: bytes) -> LoaderDisk:
    return LoaderDisk.create(tmp_path / "disk.img", {KERNEL: code})


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ({"signature": 0x464C5545}, BAD_SIGNATURE),
        ({"version": 1}, BAD_VERSION),
        ({"header_size": 64}, BAD_VERSION),
        ({"flags": FOR_ANOTHER}, BAD_VERSION),
        ({"crc32": 0x12345678}, BAD_CRC),
        ({"file_size": 100_000}, TRUNCATED),
        ({"file_size": 1 << 40}, TRUNCATED),
        ({"memory_size": 1000}, BAD_ADDRESSES),
        ({"memory_size": 1 << 40}, BAD_ADDRESSES),
        ({"memory_size": 0xFFFFF000}, BAD_ADDRESSES),
        ({"load_address": 0x8000}, BAD_ADDRESSES),
        ({"load_address": 0x100010}, BAD_ADDRESSES),
        ({"load_address": 1 << 40}, BAD_ADDRESSES),
        ({"entry": 0xFFFFF}, BAD_ADDRESSES),
        ({"entry": 0x100047}, BAD_ADDRESSES),
        ({"entry": 0x100000 + 1_000_000}, BAD_ADDRESSES),
        ({"image_size": 10_000}, BAD_ADDRESSES),
        ({"image_size": 1 << 40}, BAD_ADDRESSES),
    ],
)
def test_header(boot: Boot, tmp_path: Path, header: dict[str, int], message: str) -> None:
    expect_error(boot(disk_with(tmp_path, kernel(PAYLOAD, **header))), message)


@pytest.mark.parametrize("position", [40, 100, -1])
def test_one_flipped_bit(boot: Boot, tmp_path: Path, position: int) -> None:
    code = bytearray(kernel(PAYLOAD))
    code[position] ^= 1
    # Byte 40 is the entry's lowest: still an address within the kernel, so only the CRC can tell.
    expect_error(boot(disk_with(tmp_path, bytes(code))), BAD_CRC)


@pytest.mark.parametrize("size", [0, 71, 72, 5000])
def test_truncated_file(boot: Boot, tmp_path: Path, size: int) -> None:
    expect_error(boot(disk_with(tmp_path, kernel(PAYLOAD)[:size])), TRUNCATED)


@pytest.mark.parametrize(("memory", "bss_mib"), [(16, 15), (64, 100), (64, 4000)])
def test_too_little_memory(boot: Boot, tmp_path: Path, memory: int, bss_mib: int) -> None:
    disk = disk_with(tmp_path, kernel(bss=bss_mib << 20))
    message = f"error: too little memory: the kernel needs {bss_mib + 2} MiB; give the machine more"
    expect_error(boot(disk, memory=memory), message)


@pytest.mark.parametrize(("cpu", "message"), LACKING.items())
def test_cpu_that_lacks_something(boot: Boot, tmp_path: Path, cpu: str, message: str) -> None:
    expect_error(boot(disk_with(tmp_path, kernel()), cpu=cpu), message)


@pytest.mark.parametrize(
    "files",
    [
        {"/model/x": b"x"},
        {"/boot/OTHER.KRN": b"x"},
        {"/boot/BAREFLOW.KRN/x": b"a folder"},
        {"/boot": b"a file", "/x/BAREFLOW.KRN": b"elsewhere"},
    ],
)
def test_no_kernel(boot: Boot, tmp_path: Path, files: dict[str, bytes]) -> None:
    expect_error(boot(LoaderDisk.create(tmp_path / "disk.img", files)), NO_KERNEL)


def test_deleted_kernel(boot: Boot, tmp_path: Path) -> None:
    disk = disk_with(tmp_path, kernel())
    disk.delete(KERNEL)
    expect_error(boot(disk), NO_KERNEL)


@pytest.mark.parametrize("kind", [0x00, 0x83, 0x07])
def test_no_partition(boot: Boot, tmp_path: Path, kind: int) -> None:
    disk = disk_with(tmp_path, kernel())
    disk.patch(PARTITION_ENTRY + 4, bytes([kind]))
    expect_error(boot(disk), NO_PARTITION)


@pytest.mark.parametrize(("first", "sectors"), [(2000, 49), (2048, 1), (0x2000, 0xFFFFFFFF)])
def test_overlapping_partitions(boot: Boot, tmp_path: Path, first: int, sectors: int) -> None:
    disk = disk_with(tmp_path, kernel())
    ours = (0x80, 0x0E, 2048, disk.path.stat().st_size // 512 - 2048)
    disk.set_partitions(ours, (0, 0x83, 64, 1984), (0, 0x83, first, sectors))
    expect_error(boot(disk), OVERLAP)


@pytest.mark.parametrize(
    ("offset", "value"),
    [
        (510, b"\0\0"),  # signature
        (11, b"\0\x10"),  # 4096 bytes a sector
        (13, b"\0"),  # no sectors in a cluster
        (13, b"\x80"),  # so large clusters that it would be FAT12
        (16, b"\0"),  # no FATs: the FAT lies in the data
        (22, b"\1\0"),  # a FAT too short for the clusters
        (19, b"\xff\xff"),  # longer than the partition
        (19, b"\x20\0"),  # shorter than FATs and root directory
    ],
)
def test_damaged_boot_sector(boot: Boot, tmp_path: Path, offset: int, value: bytes) -> None:
    disk = disk_with(tmp_path, kernel())
    disk.patch(PARTITION_OFFSET + offset, value)
    expect_error(boot(disk), BAD_BOOT_SECTOR)


def cyclic(disk: LoaderDisk, chain: list[int]) -> None:
    disk.link(chain[-1], chain[0])


def self_cyclic(disk: LoaderDisk, chain: list[int]) -> None:
    disk.link(chain[2], chain[2])


def early_end(disk: LoaderDisk, chain: list[int]) -> None:
    disk.link(chain[-2], 0xFFFF)


def free_cluster(disk: LoaderDisk, chain: list[int]) -> None:
    disk.link(chain[1], 0)


def bad_cluster(disk: LoaderDisk, chain: list[int]) -> None:
    disk.link(chain[1], 0xFFF7)


def beyond_the_volume(disk: LoaderDisk, chain: list[int]) -> None:
    disk.link(chain[1], 0xF000)


def starts_nowhere(disk: LoaderDisk, chain: list[int]) -> None:
    disk.set_first_cluster(KERNEL_NAME, 0)


@pytest.mark.parametrize(
    "damage",
    [cyclic, self_cyclic, early_end, free_cluster, bad_cluster, beyond_the_volume, starts_nowhere],
)
def test_damaged_chain(boot: Boot, tmp_path: Path, damage: Callable[[LoaderDisk, list[int]], None]) -> None:
    disk = disk_with(tmp_path, kernel(PAYLOAD))
    damage(disk, disk.chain(KERNEL))
    expect_error(boot(disk), BAD_CHAIN)


def test_cyclic_directory(boot: Boot, tmp_path: Path) -> None:
    """/boot is full, has no kernel in it, and its chain has no end."""
    files = {f"/boot/F{index:03}": b"" for index in range(62)}  # with . and .. a cluster of 2 KiB
    disk = LoaderDisk.create(tmp_path / "disk.img", files)
    (cluster,) = disk.chain("/boot")
    disk.link(cluster, cluster)
    expect_error(boot(disk), BAD_CHAIN)


@pytest.mark.parametrize(("drive", "sectors"), [("ide", 1), ("ide", 40), ("ide", 2048), ("virtio-blk", 2048)])
def test_disk_that_ends_too_early(boot: Boot, tmp_path: Path, drive: str, sectors: int) -> None:
    """stage2, or the partition, is where the BIOS cannot read."""
    disk = disk_with(tmp_path, kernel())
    with disk.path.open("r+b") as file:
        file.truncate(sectors * 512)
    expect_disk_error(boot(disk, drive=drive))


def test_kernel_beyond_the_last_cylinder(boot: Boot, tmp_path: Path) -> None:
    """QEMU's largest floppy drive reaches 2.88 MB of the image."""
    expect_disk_error(boot(disk_with(tmp_path, kernel(bytes(3_000_000))), drive="floppy"))


@pytest.mark.parametrize("drive", ["ide", "nvme", "floppy"])
def test_no_stage2(boot: Boot, tmp_path: Path, drive: str) -> None:
    """Readable sectors that hold something else are not executed."""
    disk = disk_with(tmp_path, kernel())
    disk.patch(512, bytes(39 * 512))
    expect_error(boot(disk, drive=drive), "error: disk read failed, BIOS status 0x00")


def test_machine_answers_after_an_error(boot: Boot, tmp_path: Path) -> None:
    """Ctrl-Alt-Del still restarts the machine."""
    guest = boot(disk_with(tmp_path, kernel(crc32=0)))
    expect_error(guest, BAD_CRC)
    guest.send_key("ctrl", "alt", "delete")
    assert guest.wait_end().how == "reset"
