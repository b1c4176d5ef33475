"""The power is cut while the guest saves what it has learnt, on every way to the disk: what is lost is what
was written last, and nothing else (guests/profile.c; docs/disk.md)."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest
from bareflow.disk.generations import unwritten
from bareflow.qemu.guest import Guest
from disk_tools import BY_DRIVER, DiskImage
from fat32_disk import Fat32Disk
from fixture_types import Boot, Disk, GuestImage, Processor
from power_cut import LoggedDisk, PowerCut, read_log
from profile_tools import (
    CACHE_PATH,
    MARK_PATH,
    PROFILE_PATH,
    Profile,
    beyond_a_cut,
    fsck,
    read_cache,
    read_profile,
)

CUTS = int(os.environ.get("BAREFLOW_BOOTS", "10"))
BOOTED_CUTS = 8
"""After at most so many of them the disk is booted."""
BUSES = [*BY_DRIVER, "usb-storage"]
KERNEL = "/boot/BAREFLOW.KRN"
USER = "/model/user.bin"
OUTPUT = "/OUTPUT.TXT"
USER_BYTES = random.Random(8).randbytes(100_000)


def sequence_of(profile: Profile) -> tuple[int, int]:
    """What only grows from one save to the next."""
    return profile.boots, profile.calls["hot"]


def check(disk: DiskImage, before: DiskImage) -> None:
    """No other file has changed; profile and cache are whole."""
    for path in (KERNEL, USER):
        assert disk.read(path) == before.read(path), path
    objects = read_cache(disk)
    assert all(item.content == item.content[:1] * len(item.content) for item in objects.values())


def saves(boot: Boot, image: DiskImage, bus: str) -> None:
    """A boot after the cut: it finds the tree in order, or puts it in order, and goes on."""
    guest = boot(image, drive=bus, config={"saves": 2, "output": OUTPUT}, snapshot=False)
    assert guest.wait_exit() == 0, guest.serial
    assert "warning:" not in guest.console


def cut_often(
    boot: Boot, processor: Processor, image: DiskImage, folder: Path, bus: str, cuts: int, made: bool
) -> None:
    """made: the files have their places before the boot that is cut, as in an image that is just built."""
    image.write(USER, USER_BYTES)
    if made:
        for path, room in ((PROFILE_PATH, 1 << 14), (CACHE_PATH, 1 << 18), (MARK_PATH, 32)):
            image.write(path, unwritten(room))
            image.write(f"{path[:-1]}~", unwritten(room))
        saves(boot, image, bus)  # and something is on the medium
    before = DiskImage.copy(image.path, folder / "before.img")
    log = folder / "writes.log"
    log.touch()
    config = {"saves": 6} if made else {"saves": 6, "output": OUTPUT}
    with Guest(LoggedDisk(image.path, drive=bus, config=config, log=log, **processor)) as guest:
        assert guest.wait_exit() == 0, guest.serial
    writes = read_log(log)
    start = before.path.read_bytes()
    chance = random.Random(f"{bus} {made}")
    rebuilt = DiskImage(folder / "cut.img")
    for number in range(cuts):
        cut = PowerCut(start, writes, chance)
        assert bus not in BY_DRIVER or cut.flushes or cut.certain == start
        # Without flush the guest knows of nothing that it wrote that it is on the medium.
        rebuilt.path.write_bytes(cut.certain if bus in BY_DRIVER else start)
        certain = sequence_of(read_profile(rebuilt)) if rebuilt.newest(PROFILE_PATH) else (0, 0)
        rebuilt.path.write_bytes(cut.disk)
        if made:
            assert certain >= (1, 2000)
            assert sequence_of(read_profile(rebuilt)) >= certain
            check(rebuilt, before)
        elif rebuilt.newest(PROFILE_PATH):
            assert sequence_of(read_profile(rebuilt)) >= certain
        if made or bus in BY_DRIVER:
            assert beyond_a_cut(fsck(rebuilt.path, folder)) == [], f"cut {number}"
        if number % max(1, cuts // BOOTED_CUTS) == 0:
            trusted = rebuilt.newest(MARK_PATH) != b"begun\n"
            saves(boot, rebuilt, bus)
            check(rebuilt, before)
            assert beyond_a_cut(fsck(rebuilt.path, folder)) == [], f"cut {number}"
            now = sequence_of(read_profile(rebuilt))
            assert now > certain if trusted else now == (1, 2000)


Cut = Callable[[int, str, int, bool], None]
"""cut_often() with the saving guest on FAT16 or FAT32: bits, bus, cuts, made."""


@pytest.fixture
def cut(boot: Boot, processor: Processor, disk: Disk, guest_image: GuestImage, tmp_path: Path) -> Cut:
    def run(bits: int, bus: str, cuts: int, made: bool) -> None:
        image = disk(guest_image("profile"))
        if bits == 32:
            image = Fat32Disk.of(image, tmp_path / "fat32.img")
        cut_often(boot, processor, image, tmp_path, bus, cuts, made)

    return run


@pytest.mark.parametrize(
    ("bus", "made"),
    [
        ("usb-storage", True),
        ("usb-storage", False),
        ("ahci", False),
        ("virtio-blk", True),
        ("nvme", False),
    ],
)
def test_few_cuts(cut: Cut, bus: str, made: bool) -> None:
    cut(16, bus, 4, made)


@pytest.mark.parametrize(("bus", "made"), [("usb-storage", True), ("ahci", False)])
def test_few_cuts_on_fat32(cut: Cut, bus: str, made: bool) -> None:
    cut(32, bus, 4, made)


@pytest.mark.soak
@pytest.mark.timeout(300 + 5 * CUTS)
@pytest.mark.parametrize("made", [True, False], ids=["in place", "making files"])
@pytest.mark.parametrize("bus", BUSES)
@pytest.mark.parametrize("bits", [16, 32])
def test_many_cuts(cut: Cut, bits: int, bus: str, made: bool) -> None:
    cut(bits, bus, CUTS, made)
