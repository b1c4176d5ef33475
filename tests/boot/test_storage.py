"""Files on whatever disk was booted: guests/disk_files.c copies a file, mtools looks at the result."""

from __future__ import annotations

import random
import re
import shutil
from pathlib import Path

import pytest
from bareflow.qemu.guest import Guest
from disk_tools import DiskImage
from fixture_types import Boot, Disk, GuestImage
from unusual_disk import UnusualDisk, boot_faulty

INPUT = "/profile/the input file.bin"
COPY = "/profile/COPY.BIN"
CONFIG = "/boot/BAREFLOW.CFG"
SECTOR = 512
FIRST_CONTENTS = b"not the last word\0"  # what the guest writes to COPY before it replaces it

CONTENTS = random.Random(20).randbytes(300_001)  # no multiple of a sector

DMA = "ATA disk by DMA"
PIO = "ATA disk by PIO"
BIOS = "BIOS disk"


@pytest.fixture
def files_disk(disk: Disk, guest_image: GuestImage) -> DiskImage:
    """The guest's image with the input file."""
    image = disk(guest_image("disk_files"))
    image.write(INPUT, CONTENTS)
    return image


def copies(guest: Guest, image: DiskImage, way: str) -> None:
    """The guest reaches the disk in this way, and the copy is right."""
    assert guest.wait_exit() == 0
    guest.expect(f"^disk: {way}\n")
    guest.expect("^read ok\n")
    guest.expect("^written ok\n")
    assert image.read(COPY) == CONTENTS
    assert image.read(INPUT) == CONTENTS


@pytest.mark.parametrize(
    ("machine", "drive", "way"),
    [
        ("pc", "ide", DMA),
        ("pc", "ide-slave", DMA),
        ("pc", "ahci", BIOS),
        ("q35", "ahci", BIOS),
        ("pc", "virtio-blk", BIOS),
        ("pc", "usb-storage", BIOS),
        ("q35", "usb-storage", BIOS),
        ("pc", "nvme", BIOS),
        ("pc", "floppy", "BIOS disk by cylinders"),
    ],
)
def test_booted_disk(boot: Boot, files_disk: DiskImage, machine: str, drive: str, way: str) -> None:
    guest = boot(files_disk, machine=machine, drive=drive, snapshot=False)
    copies(guest, files_disk, way)


@pytest.mark.parametrize(("setting", "way"), [("auto", DMA), ("ata", DMA), ("pio", PIO), ("bios", BIOS)])
def test_way_by_setting(boot: Boot, files_disk: DiskImage, setting: str, way: str) -> None:
    guest = boot(files_disk, config={"disk": setting}, snapshot=False)
    copies(guest, files_disk, way)


@pytest.mark.parametrize("setting", ["ata", "bios"])
@pytest.mark.parametrize("memory", [4, 8192])
def test_least_and_far_memory(boot: Boot, files_disk: DiskImage, setting: str, memory: int) -> None:
    guest = boot(files_disk, config={"disk": setting}, memory=memory, snapshot=False)
    copies(guest, files_disk, DMA if setting == "ata" else BIOS)
    assert ("far ok\n" in guest.console) == (memory > 4096)


def test_setting_in_the_config_file(boot: Boot, files_disk: DiskImage) -> None:
    files_disk.write(CONFIG, b"disk = bios\n")
    copies(boot(files_disk, snapshot=False), files_disk, BIOS)
    guest = boot(files_disk, config={"disk": "pio"}, snapshot=False)  # fw_cfg wins
    copies(guest, files_disk, PIO)


# Drive, setting, and what is said about it.
IMPOSSIBLE = [
    ("ide", "tape", "disk = tape is not possible: choose auto, ata, pio or bios."),
    ("virtio-blk", "ata", "The disk that was booted is no ATA disk, or the BIOS does not say so. "),
]


@pytest.mark.parametrize(("drive", "setting", "message"), IMPOSSIBLE)
def test_impossible_setting(
    boot: Boot, files_disk: DiskImage, drive: str, setting: str, message: str
) -> None:
    guest = boot(files_disk, drive=drive, config={"disk": setting})
    assert guest.wait_exit() == 1
    guest.expect(f"^disk: no disk\nerror: {re.escape(message)}")
    assert guest.console.count("error:") == 1


@pytest.mark.parametrize(("drive", "setting", "message"), IMPOSSIBLE)
def test_impossible_setting_in_the_config_file(
    boot: Boot, files_disk: DiskImage, drive: str, setting: str, message: str
) -> None:
    files_disk.write(CONFIG, f"disk = {setting}\n".encode())
    guest = boot(files_disk, drive=drive)
    assert guest.wait_exit() == 1
    guest.expect(f"^disk: no disk\nerror: {re.escape(message)}")
    assert guest.console.count("error:") == 1


def test_config_lines_that_are_wrong(boot: Boot, files_disk: DiskImage) -> None:
    files_disk.write(CONFIG, b'# fine\r\ndisk = "pio" # fine\r\nnonsense\r\nmode = "\\q"\r\n')
    guest = boot(files_disk, snapshot=False)
    copies(guest, files_disk, PIO)
    warning = f"warning: {CONFIG}, line"
    assert f'{warning} 3 is ignored: "=" must follow the key, as in key = value.\n' in guest.console
    assert f"{warning} 4 is ignored: the only escapes are " in guest.console
    assert guest.console.count("warning:") == 2


def test_fragmented_file(boot: Boot, files_disk: DiskImage) -> None:
    files_disk.delete(INPUT)
    for number in range(60):
        files_disk.write(f"/profile/F{number}", bytes([number]) * 4000)
    for number in range(0, 60, 2):
        files_disk.delete(f"/profile/F{number}")
    files_disk.write(INPUT, CONTENTS)
    copies(boot(files_disk, snapshot=False), files_disk, DMA)
    for number in range(1, 60, 2):
        assert files_disk.read(f"/profile/F{number}") == bytes([number]) * 4000


def test_full_disk_keeps_the_old_file(boot: Boot, files_disk: DiskImage) -> None:
    filler = 16_200_000  # leaves less than the copy needs
    files_disk.write("/profile/FILLER", bytes(filler))
    guest = boot(files_disk, snapshot=False)
    assert guest.wait_exit() == 1
    assert f"error: The disk is full: {COPY} needs " in guest.console
    assert files_disk.read(COPY) == FIRST_CONTENTS
    assert files_disk.read(INPUT) == CONTENTS


def test_writes_go_to_the_booted_disk_only(boot: Boot, files_disk: DiskImage, tmp_path: Path) -> None:
    """Another disk with the same contents, which DMA could reach, is left alone."""
    twin = tmp_path / "twin.img"
    shutil.copyfile(files_disk.path, twin)
    extra = ["-drive", f"if=none,id=twin,file={twin},format=raw", "-device", "ide-hd,drive=twin"]
    before = twin.read_bytes()
    guest = boot(files_disk, drive="virtio-blk", snapshot=False, extra=extra)
    copies(guest, files_disk, BIOS)
    assert twin.read_bytes() == before


def test_pio_takes_over_when_dma_fails(files_disk: DiskImage) -> None:
    sector = files_disk.file_offset(INPUT) // SECTOR + 5
    with boot_faulty(files_disk, "read_aio", once=True, sector=sector) as guest:
        copies(guest, files_disk, DMA)
        guest.expect(f"^disk at the end: {PIO} \\(DMA failed\\)\n")


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ("read_aio", r"The ATA disk cannot read at sector \d+: status 0x41\."),
        ("write_aio", r"The ATA disk cannot write at sector \d+: status 0x41\."),
        ("flush_to_disk", r"The ATA disk cannot empty its write cache: status 0x41\."),
    ],
)
def test_broken_disk(files_disk: DiskImage, event: str, message: str) -> None:
    sector = files_disk.file_offset(INPUT) // SECTOR if event == "read_aio" else None
    with boot_faulty(files_disk, event, once=False, sector=sector) as guest:
        assert guest.wait_exit() == 1
        guest.expect(f"^error: {message}\n")
    assert files_disk.read(INPUT) == CONTENTS


def test_disk_that_does_not_answer(files_disk: DiskImage) -> None:
    """After its first megabyte the disk gives 10 kB/s: the guest's one command for the file takes minutes."""
    files_disk.write(INPUT, random.Random(21).randbytes(2_000_000))
    limits = "throttling.bps-read=10000,throttling.bps-read-max=1000000"
    machine = UnusualDisk(files_disk.path, snapshot=False, change=("format=raw", f"format=raw,{limits}"))
    with Guest(machine) as guest:
        assert guest.wait_exit() == 1
        guest.expect(
            r"^error: The ATA disk does not answer: status 0xd0 after 5 seconds\. Try .* disk = bios\."
        )
