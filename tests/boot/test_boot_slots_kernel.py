"""What the kernel writes into the record about the boot slots: that it works, or wants the other one."""

from __future__ import annotations

import random
import struct
import time
from pathlib import Path
from typing import Any

import pytest
from disk_tools import DiskImage
from fixture_types import Boot, Disk, GuestImage
from loader_disk import FALLBACK, KERNEL
from slots_record import NONE, RECORD, SIZE, record, state


@pytest.fixture
def slots_disk(guest_image: GuestImage, disk: Disk) -> DiskImage:
    """The guest boot_slots.c in both slots."""
    copy = disk(guest_image("boot_slots"))
    copy.write(FALLBACK, copy.read(KERNEL))
    copy.patch(RECORD, state(0, 3))
    return copy


def end_of(boot: Boot, disk: DiskImage, end: str, **machine: Any) -> int:
    """Boots the guest with this end; the slot that its event names."""
    guest = boot(disk, config={"end": end}, snapshot=False, **machine)
    ending = guest.wait_end()
    assert ending.how == ("debug-exit" if end == "return" else "reset"), guest.serial
    slot = guest.event("boot")["slot"]
    assert ("/boot/FALLBACK.KRN is loaded instead" in guest.serial) == (slot == 1)
    return int(slot)


@pytest.mark.parametrize("drive", ["ide", "virtio-blk", "nvme-4096", "usb-storage", "floppy"])
def test_success_gives_the_attempts_back(boot: Boot, slots_disk: DiskImage, drive: str) -> None:
    for _ in range(2):
        assert end_of(boot, slots_disk, "reset", drive=drive) == 0
    assert record(slots_disk) == state(0, 1)
    assert end_of(boot, slots_disk, "report", drive=drive) == 0
    assert record(slots_disk) == state(0, 3)
    assert end_of(boot, slots_disk, "reset", drive=drive) == 0
    assert record(slots_disk) == state(0, 2)
    assert end_of(boot, slots_disk, "return", drive=drive) == 0
    assert record(slots_disk) == state(0, 3)


def test_kernel_that_never_reports(boot: Boot, slots_disk: DiskImage) -> None:
    assert [end_of(boot, slots_disk, "reset") for _ in range(4)] == [0, 0, 0, 1]
    assert [end_of(boot, slots_disk, "return") for _ in range(4)] == [1, 1, 1, 1]
    assert record(slots_disk) == state(1, 3)


@pytest.mark.parametrize("drive", ["ide", "virtio-blk", "nvme-4096", "usb-storage", "floppy"])
def test_kernel_that_asks_for_the_other(boot: Boot, slots_disk: DiskImage, drive: str) -> None:
    assert end_of(boot, slots_disk, "fall back", drive=drive) == 0
    assert record(slots_disk) == state(0, 2, requested=1)
    assert end_of(boot, slots_disk, "return", drive=drive) == 1
    assert record(slots_disk) == state(0, 2), "the other one's success is not this one's"
    assert end_of(boot, slots_disk, "return", drive=drive) == 0
    assert record(slots_disk) == state(0, 3)


def test_the_other_kernel_asked_for_is_bad(boot: Boot, slots_disk: DiskImage) -> None:
    """It is asked for once, and not for ever."""
    slots_disk.write(FALLBACK, b"no kernel")
    assert end_of(boot, slots_disk, "fall back") == 0
    guest = boot(slots_disk, config={"end": "fall back"}, snapshot=False)
    assert guest.wait_exit() == 1
    assert guest.event("boot")["slot"] == 0
    assert "error: The disk's other kernel could not be booted.\n" in guest.console
    assert record(slots_disk) == state(0, 3), "a kernel that comes to its end works"


@pytest.mark.parametrize("contents", [bytes(SIZE), state(0, 3)[:-1] + b"\1"])
def test_no_other_kernel_to_ask_for(boot: Boot, guest_image: GuestImage, disk: Disk, contents: bytes) -> None:
    copy = disk(guest_image("boot_slots"))
    copy.patch(RECORD, contents)
    guest = boot(copy, config={"end": "fall back"}, snapshot=False)
    assert guest.wait_exit() == 1
    assert "error: The disk has no second kernel to boot" in guest.console
    assert record(copy) == contents


def test_power_cut_at_any_moment(boot: Boot, slots_disk: DiskImage) -> None:
    """Whatever the kernels do, and whenever the power goes: the record stays whole and a kernel boots."""
    generator = random.Random(9)
    for _ in range(15):
        end = generator.choice(["reset", "report", "fall back"])
        guest = boot(slots_disk, config={"end": end}, snapshot=False)
        time.sleep(generator.uniform(0.0, 0.5))
        guest.close()
        slot, attempts, requested = struct.unpack_from("<3B", record(slots_disk), 5)
        assert record(slots_disk) == state(slot, attempts, requested)
        assert slot in (0, 1) and attempts <= 3 and requested in (0, 1, NONE)
    end_of(boot, slots_disk, "return")


# ---- The application ----


@pytest.mark.parametrize("mode", ["generate", "interactive"])
def test_application_reports_before_its_end(boot: Boot, image: Path, disk: Disk, mode: str) -> None:
    """With its first token, and with its prompt: what happens to it then is not the kernel's fault."""
    copy = disk(image)
    copy.write(FALLBACK, copy.read(KERNEL))
    copy.patch(RECORD, state(0, 3))
    guest = boot(copy, config={"mode": mode, "steps": 256, "temperature": 0}, snapshot=False)
    guest.expect("^> " if mode == "interactive" else '"text_begin"}\n[A-Z]')
    deadline = time.monotonic() + 10
    while record(copy) != state(0, 3):
        assert time.monotonic() < deadline, record(copy)
        time.sleep(0.02)
    guest.kill()
    assert guest.event("boot")["slot"] == 0
