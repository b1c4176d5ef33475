"""Files on whatever disk was booted: guests/disk_files.c copies a file, mtools looks at the result."""

from __future__ import annotations

import random
import re

import pytest
from bareflow.qemu.guest import Guest
from copied_file import BIOS, CONTENTS, COPY, FIRST_CONTENTS, INPUT, SECTOR, with_input
from disk_tools import BY_DRIVER, DiskImage
from fixture_types import Boot, Disk, GuestImage
from unusual_disk import FAST_CLOCK, UnusualDisk, boot_faulty

CONFIG = "/boot/BAREFLOW.CFG"

DMA = BY_DRIVER["ide"]
PIO = "ATA disk by PIO"
NO_FLUSH = "note: The BIOS cannot flush the disk: a power cut may take what is saved from now on.\n"


@pytest.fixture
def files_disk(disk: Disk, guest_image: GuestImage) -> DiskImage:
    """The guest's image with the input file."""
    return with_input(disk(guest_image("disk_files")))


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
        *(("pc", drive, way) for drive, way in BY_DRIVER.items()),
        ("pc", "ide-slave", DMA),
        *(("q35", drive, way) for drive, way in BY_DRIVER.items() if drive != "ide"),
        ("pc", "usb-storage", BIOS),
        ("q35", "usb-storage", BIOS),
        ("pc", "floppy", "BIOS disk by cylinders"),
    ],
)
def test_booted_disk(boot: Boot, files_disk: DiskImage, machine: str, drive: str, way: str) -> None:
    guest = boot(files_disk, machine=machine, drive=drive, snapshot=False)
    copies(guest, files_disk, way)
    assert guest.console.count(NO_FLUSH) == (drive not in BY_DRIVER and drive != "ide-slave")


@pytest.mark.parametrize(("setting", "way"), [("auto", DMA), ("ata", DMA), ("pio", PIO), ("bios", BIOS)])
def test_way_by_setting(boot: Boot, files_disk: DiskImage, setting: str, way: str) -> None:
    guest = boot(files_disk, config={"disk": setting}, snapshot=False)
    copies(guest, files_disk, way)


@pytest.mark.parametrize(
    ("drive", "setting", "way"),
    [*((drive, "auto", way) for drive, way in BY_DRIVER.items()), ("ide", "bios", BIOS)],
)
@pytest.mark.parametrize("memory", [4, 8192])
def test_least_and_far_memory(
    boot: Boot, files_disk: DiskImage, architecture: str, drive: str, setting: str, way: str, memory: int
) -> None:
    guest = boot(files_disk, drive=drive, config={"disk": setting}, memory=memory, snapshot=False)
    copies(guest, files_disk, way)
    assert ("far ok\n" in guest.console) == (memory > 4096 and architecture == "x86_64")


@pytest.mark.parametrize("drive", BY_DRIVER)
def test_bios_by_the_config_file(boot: Boot, files_disk: DiskImage, drive: str) -> None:
    """The setting is read before a driver takes the disk from the BIOS."""
    files_disk.write(CONFIG, b"disk = bios\n")
    copies(boot(files_disk, drive=drive, snapshot=False), files_disk, BIOS)


def test_fw_cfg_overrides_the_config_file(boot: Boot, files_disk: DiskImage) -> None:
    files_disk.write(CONFIG, b"disk = bios\n")
    guest = boot(files_disk, config={"disk": "pio"}, snapshot=False)
    copies(guest, files_disk, PIO)


def test_legacy_virtio(files_disk: DiskImage) -> None:
    """A device without the registers of virtio 1."""
    change = ("virtio-blk-pci,", "virtio-blk-pci,disable-modern=on,")
    with Guest(UnusualDisk(files_disk.path, drive="virtio-blk", snapshot=False, change=change)) as guest:
        copies(guest, files_disk, BIOS)


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


def test_pio_takes_over_when_dma_fails(files_disk: DiskImage) -> None:
    sector = files_disk.file_offset(INPUT) // SECTOR + 5
    with boot_faulty(files_disk, "read_aio", once=True, sector=sector) as guest:
        copies(guest, files_disk, DMA)
        guest.expect(f"^disk at the end: {PIO} \\(DMA failed\\)\n")


@pytest.mark.parametrize(
    ("drive", "message"),
    [
        ("ide", r"The ATA disk does not answer: status 0xd0 after 5 seconds\. Try .* disk = bios\."),
        *(
            pytest.param(
                drive,
                f"The {way} does not answer: it could not read in 5 seconds\\.",
                marks=[pytest.mark.soak, pytest.mark.timeout(180)],
            )
            for drive, way in BY_DRIVER.items()
            if drive != "ide"
        ),
    ],
)
def test_disk_that_does_not_answer(files_disk: DiskImage, drive: str, message: str) -> None:
    """After its first megabyte the disk gives 10 kB/s: the guest's one command for the file takes minutes."""
    files_disk.write(INPUT, random.Random(21).randbytes(2_000_000))
    limits = "throttling.bps-read=10000,throttling.bps-read-max=1000000"
    change = ("format=raw", f"format=raw,{limits}")
    machine = UnusualDisk(files_disk.path, drive=drive, snapshot=False, change=change, extra=FAST_CLOCK)
    with Guest(machine) as guest:
        assert guest.wait_exit(120) == 1
        guest.expect(f"^error: {message}")
