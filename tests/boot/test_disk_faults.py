"""Disks that fail, on every way to them: what is said, that nothing waits for ever, and that files are whole.

QEMU's blkdebug makes requests fail; disks are removed through QMP."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from bareflow.qemu.guest import Guest, GuestError
from copied_file import CONTENTS, COPY, FIRST_CONTENTS, INPUT, SECTOR, with_input
from disk_tools import BY_DRIVER, DiskImage
from fixture_types import Disk, GuestImage
from profile_tools import beyond_a_cut, fsck
from unusual_disk import UnusualDisk, boot_faulty

KIND = {"ide": "ATA", "ahci": "AHCI", "virtio-blk": "virtio", "nvme": "NVMe"}
EVENTS = {"read": "read_aio", "write": "write_aio", "empty its write cache": "flush_to_disk"}
NEW_DRIVERS = ["ahci", "virtio-blk", "nvme"]


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


def fail(image: DiskImage, folder: Path, drive: str, action: str, number: int, once: bool) -> bool:
    """Boots with the number-th request of this kind failing, or all from there on. Afterwards the files are
    whole. Whether it was noticed."""
    image.write(COPY, b"")
    with boot_faulty(image, EVENTS[action], once=once, number=number, drive=drive) as guest:
        code = guest.wait_exit()
        assert ("error: " in guest.console) == (code == 1)
    assert image.read(INPUT) == CONTENTS
    assert image.read(COPY) in ((b"", FIRST_CONTENTS, CONTENTS) if code else (CONTENTS,))
    assert beyond_a_cut(fsck(image.path, folder)) == []
    return code == 1


@pytest.mark.parametrize("drive", NEW_DRIVERS)
@pytest.mark.parametrize(("action", "number"), [("write", 3), ("empty its write cache", 2)])
def test_one_failure(files_disk: DiskImage, tmp_path: Path, drive: str, action: str, number: int) -> None:
    """A write is repeated; a flush is not, because the disk may have thrown away what it could not write."""
    assert fail(files_disk, tmp_path, drive, action, number, once=True) == (action != "write")


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("drive", BY_DRIVER)
@pytest.mark.parametrize("action", ["write", "empty its write cache"])
def test_every_failure(files_disk: DiskImage, tmp_path: Path, drive: str, action: str) -> None:
    """The disk breaks with each write or flush of a boot in turn, until none is left."""
    number = 1
    while fail(files_disk, tmp_path, drive, action, number, once=False):
        number += 1
    assert number > 5


# The guest cannot let go of a device, having no hot-plug driver: what one would write to the port of
# QEMU's ACPI hot-plug controller (docs/specs/acpi_pci_hotplug.rst), the test does.
_BUS_PORT, _EJECT_PORT = 0xAE10, 0xAE08
NAMED = {
    "ahci": ("id=ahci", "id=ahci"),  # has it
    "virtio-blk": ("virtio-blk-pci,", "virtio-blk-pci,id=virtio-blk,"),
    "nvme": ("nvme,", "nvme,id=nvme,"),
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
    with Guest(UnusualDisk(image.path, drive=drive, snapshot=False, change=NAMED[drive])) as guest:
        guest.expect("^round 3 ok\n")
        take_off(guest, drive)
        guest.expect(rf"^error: The {KIND[drive]} disk ")
        assert int(guest.expect(r"^given up in (\d+) ms\n")[1]) < 1000
        assert guest.wait_exit() == 0
    assert beyond_a_cut(fsck(image.path, tmp_path)) == []
    content = image.read("/profile/ROUND.BIN")
    assert content == content[:1] * len(content) and len(content) == content[0] * 1000
