"""Disks that fail, on every way to them: what is said, that nothing waits for ever, and that files are whole.

QEMU's blkdebug makes requests fail; disks are removed through QMP."""

from __future__ import annotations

import contextlib
from collections import Counter
from enum import Enum
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from bareflow.qemu.guest import Guest, GuestError
from copied_file import CONTENTS, COPY, FIRST_CONTENTS, INPUT, SECTOR, with_input
from disk_tools import BY_DRIVER, DiskImage
from fixture_types import Disk, GuestImage
from profile_tools import beyond_a_cut, fsck
from unusual_disk import FAST_CLOCK, UnusualDisk, boot_faulty

KIND = {drive: way.split()[0] for drive, way in BY_DRIVER.items()}
EVENTS = {"read": "read_aio", "write": "write_aio", "empty its write cache": "flush_to_disk"}
NEW_DRIVERS = ["ahci", "virtio-blk", "nvme", "nvme-4096"]


@pytest.fixture
def files_disk(disk: Disk, guest_image: GuestImage) -> DiskImage:
    """The guest's image with the input file."""
    return with_input(disk(guest_image("disk_files")))


@pytest.mark.parametrize("drive", BY_DRIVER)
@pytest.mark.parametrize("action", EVENTS)
def test_broken_disk(files_disk: DiskImage, tmp_path: Path, drive: str, action: str) -> None:
    sector = files_disk.file_offset(INPUT) // SECTOR if action == "read" else None
    with boot_faulty(files_disk, EVENTS[action], once=False, sector=sector, drive=drive) as guest:
        assert guest.wait_exit() == 1
        guest.expect(rf"^error: The {KIND[drive]} disk cannot {action}( at sector \d+)?: status 0x")
    assert files_disk.read(INPUT) == CONTENTS
    assert beyond_a_cut(fsck(files_disk.path, tmp_path)) == []


@pytest.mark.parametrize("drive", NEW_DRIVERS)
def test_second_attempt(files_disk: DiskImage, drive: str) -> None:
    """A request that fails once is repeated."""
    sector = files_disk.file_offset(INPUT) // SECTOR + 5
    with boot_faulty(files_disk, "read_aio", once=True, sector=sector, drive=drive) as guest:
        assert guest.wait_exit() == 0
        guest.expect(f"^disk at the end: {BY_DRIVER[drive]}\n")
    assert files_disk.read(COPY) == CONTENTS


class Ending(Enum):
    """How a boot ends in which a request fails."""

    UNNOTICED = "as without"
    SAID = "one line"
    NOT_LOADED = "the loader stops"
    NOT_BOOTED = "the BIOS boots nothing"


def ending_of(guest: Guest) -> Ending:
    """Waits for it. What has failed is said in one line, and only that."""
    for _ in range(200):
        try:
            code = guest.wait_exit(0.5)
        except GuestError as error:
            if not error.problem.endswith("did not come in time"):
                raise
            why = guest.stuck() or ""
            if why.startswith("the BIOS finds nothing"):
                return Ending.NOT_BOOTED
            if why.startswith("the boot loader has stopped"):
                (line,) = {line for line in guest.console.splitlines() if line}  # for each kernel it tries
                assert line.startswith("error: disk read failed, BIOS status 0x")
                return Ending.NOT_LOADED
            continue
        assert guest.console.count("error: ") == code
        return Ending.SAID if code else Ending.UNNOTICED
    raise AssertionError(guest.serial)


def fail(image: DiskImage, folder: Path, drive: str, action: str, number: int, once: bool) -> Ending:
    """Boots with the number-th request of this kind failing, or all from there on. Afterwards the files are
    whole."""
    contents = image.read(INPUT)
    image.write(COPY, b"")
    with boot_faulty(image, EVENTS[action], once=once, number=number, drive=drive) as guest:
        ending = ending_of(guest)
    assert image.read(INPUT) == contents
    if ending == Ending.UNNOTICED:
        assert image.read(COPY) == contents
    else:
        assert image.read(COPY) in ((b"", FIRST_CONTENTS, contents) if ending == Ending.SAID else (b"",))
    assert beyond_a_cut(fsck(image.path, folder)) == []
    return ending


@pytest.mark.parametrize("drive", NEW_DRIVERS)
@pytest.mark.parametrize(
    ("action", "number", "ending"),
    [("write", 3, Ending.UNNOTICED), ("empty its write cache", 2, Ending.SAID)],
)
def test_one_failure(
    files_disk: DiskImage, tmp_path: Path, drive: str, action: str, number: int, ending: Ending
) -> None:
    """A write is repeated; a flush is not, because the disk may have thrown away what it could not write."""
    assert fail(files_disk, tmp_path, drive, action, number, once=True) == ending


@pytest.mark.soak
@pytest.mark.timeout(3000)
@pytest.mark.parametrize("drive", [*BY_DRIVER, "usb-storage"])
@pytest.mark.parametrize("action", EVENTS)
def test_every_failure(files_disk: DiskImage, tmp_path: Path, drive: str, action: str) -> None:
    """Each request of a boot fails in turn, alone and with all that follow, until none is left. The file is
    short, so that there are not too many."""
    files_disk.write(INPUT, CONTENTS[:20_001])
    endings: dict[bool, Counter[Ending]] = {True: Counter(), False: Counter()}
    for number in count(1):
        found = {once: fail(files_disk, tmp_path, drive, action, number, once) for once in endings}
        if found[False] == Ending.UNNOTICED:
            break
        for once, ending in found.items():
            endings[once][ending] += 1
    for once, name in ((True, "alone"), (False, "with all that follow")):
        told = ", ".join(f"{ending.value}: {times}" for ending, times in endings[once].items())
        print(f"{drive}, {action}, each of {number - 1} {name}: {told}")
    assert number > 5 or (drive, action) == ("usb-storage", "empty its write cache")  # which INT 13h cannot


# A USB stick is pulled in test_profile.py; an IDE disk stays where it is, in QEMU as in a PC.
# The guest cannot let go of a device, having no hot-plug driver: what one would write to the port of
# QEMU's ACPI hot-plug controller (docs/specs/acpi_pci_hotplug.rst), the test does.
_BUS_PORT, _EJECT_PORT = 0xAE10, 0xAE08
NAMED = {
    "ahci": ("id=ahci", "id=ahci"),  # has it
    "virtio-blk": ("virtio-blk-pci,", "virtio-blk-pci,id=virtio-blk,"),
    "nvme": ("nvme,", "nvme,id=nvme,"),
    "nvme-4096": ("nvme,", "nvme,id=nvme-4096,"),
}
"""How to change an option of QEMU so that the device gets its drive's name."""


def take_off(guest: Guest, name: str) -> None:
    """Takes a device off bus 0 of machine pc. The machine stands still meanwhile, which lets requests end:
    QEMU may crash where a device goes with one under way."""
    guest.qmp("stop")
    buses: Any = guest.qmp("query-pci")
    (slot,) = (device["slot"] for device in buses[0]["devices"] if device["qdev_id"] == name)
    guest.qmp("device_del", id=name)
    for port, value in ((_BUS_PORT, 0), (_EJECT_PORT, 1 << slot)):
        guest.qmp("human-monitor-command", **{"command-line": f"o /w {port:#x} {value:#x}"})
    with contextlib.suppress(GuestError):  # the guest may end before QEMU has answered
        guest.qmp("cont")


@pytest.mark.parametrize("drive", NEW_DRIVERS)
def test_removed_disk(disk: Disk, guest_image: GuestImage, tmp_path: Path, drive: str) -> None:
    image = disk(guest_image("disk_rounds"))
    machine = UnusualDisk(image.path, drive=drive, snapshot=False, change=NAMED[drive], extra=FAST_CLOCK)
    with Guest(machine) as guest:
        guest.expect("^round 3 ok\n")
        take_off(guest, drive)
        guest.expect(rf"^error: The {KIND[drive]} disk ")
        assert int(guest.expect(r"^given up in (\d+) ms\n")[1]) < 1000
        assert guest.wait_exit() == 0
    assert beyond_a_cut(fsck(image.path, tmp_path)) == []
    content = image.read("/profile/ROUND.BIN")
    assert content == content[:1] * len(content) and len(content) == content[0] * 1000
