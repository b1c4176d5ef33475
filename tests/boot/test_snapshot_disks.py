"""Snapshots on a disk: what a person, a power cut or a mistake may have done to them. The guest life.c writes
copies of itself as snapshots."""

from __future__ import annotations

import os
import random
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bareflow.kernel.kernel_file import HEADER_SIZE, parse_header, seal
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from disk_tools import DiskImage
from fixture_types import Disk, GuestImage, OneFolder
from life_tools import ROOT, index, slots
from power_cut import LoggedDisk, PowerCut, read_log
from profile_tools import beyond_a_cut, fsck

INDEX = "/boot/snapshots/INDEX.TXT"
OTHER_INDEX = "/boot/snapshots/INDEX.TX~"
CUTS = int(os.environ.get("BAREFLOW_BOOTS", "10"))
MEMORY_SIZE = 24  # in the kernel header
RESERVE = 1 << 20
"""What old snapshots make room for, besides the new one."""


def path(number: int) -> str:
    return f"/boot/snapshots/{number:04}.KRN"


def run(disk: DiskImage, config: dict[str, object] | None = None, **machine: Any) -> Guest:
    """A boot, which may restart if it says so."""
    options = {"snapshot": False, "crashes": 0, **machine}
    with Guest(Machine(disk.path, config=config or {}, **options), timeout=60.0) as guest:
        assert guest.wait_exit() == 0, guest.serial
    return guest


def runs(guest: Guest) -> str | None:
    """The snapshot that ran, by its name in the index."""
    line = next((line for line in guest.console.splitlines() if line.endswith("<- running")), None)
    return line.split()[0] if line else None


@pytest.fixture
def fresh(guest_image: GuestImage, disk: Disk) -> DiskImage:
    return disk(guest_image("life"))


@pytest.fixture
def two(guest_image: GuestImage, one_folder: OneFolder, architecture: str, disk: Disk) -> DiskImage:
    """A disk whose kernel is 0002.KRN, which 0001.KRN has written."""

    def make(folder: Path) -> None:
        made = DiskImage.copy(guest_image("life"), folder / "two.img")
        for number in (1, 2):
            run(made, {"adds": 1}).expect(f"{path(number)}, native, .*: the next boot takes it.")

    return disk(one_folder(f"{architecture}-two-snapshots", make) / "two.img")


def leave_room(disk: DiskImage, size: int) -> None:
    disk.write("/FILLER.BIN", bytes(disk.free_bytes() - size))


def is_whole(disk: DiskImage, folder: Path) -> bool:
    return beyond_a_cut(fsck(disk.path, folder)) == []


# ---- A life without faults ----


def test_each_boot_takes_the_newest(two: DiskImage, tmp_path: Path) -> None:
    assert slots(two) == (path(2), path(1))
    assert runs(run(two)) == "0002.KRN"
    first, second = index(two).values()
    assert (first["parent"], first["result"], first["boots"]) == ("BAREFLOW.KRN", "good", "1")
    assert (second["parent"], second["result"], second["boots"]) == ("0001.KRN", "good", "1")
    assert fsck(two.path, tmp_path) == []


def test_old_ones_make_room(two: DiskImage, tmp_path: Path) -> None:
    kernel = len(two.read(ROOT))
    run(two, {"adds": 1})
    assert list(index(two)) == ["0001.KRN", "0002.KRN", "0003.KRN"]
    leave_room(two, RESERVE + kernel // 2)
    guest = run(two, {"adds": 1})
    assert f"{path(1)} is deleted: a new snapshot takes its room.\n" in guest.console
    assert list(index(two)) == ["0002.KRN", "0003.KRN", "0004.KRN"]
    # 0004 runs, and 0003 is what it falls back to; 0006 was the newest when 0007 wanted room.
    guest = run(two, {"adds": 3})
    assert runs(guest) == "0004.KRN" and slots(two) == (path(7), path(4))
    assert list(index(two)) == ["0003.KRN", "0004.KRN", "0006.KRN", "0007.KRN"]
    assert sorted(two.listing("/boot/snapshots"))[:4] == [f"::{path(n)}" for n in (3, 4, 6, 7)]
    assert fsck(two.path, tmp_path) == []


def test_no_room(two: DiskImage, tmp_path: Path) -> None:
    """What must stay leaves too little: nothing is deleted, and the machine goes on."""
    leave_room(two, 20_000)
    two.write("/boot/snapshots/0009.KRN", b"")  # a person's
    guest = run(two, {"adds": 1})
    guest.expect("^error: The disk is full: the snapshot needs [0-9]+ KiB, [0-9]+ KiB are free, and ")
    assert slots(two) == (path(2), path(1)) and list(index(two)) == ["0001.KRN", "0002.KRN"]
    assert two.read(path(1)) == two.read(ROOT) and runs(run(two)) == "0002.KRN"
    assert fsck(two.path, tmp_path) == []


def test_without_flush_room_comes_later(two: DiskImage) -> None:
    """Through the BIOS what was deleted is freed after the next power-on, and used after the one after."""
    kernel = len(two.read(ROOT))
    run(two, {"adds": 1})
    leave_room(two, kernel // 2)
    guest = run(two, {"adds": 1}, drive="usb-storage")
    guest.expect(f"^{path(1)} is deleted")
    guest.expect("^error: The disk is full")
    assert list(index(two)) == ["0002.KRN", "0003.KRN"]
    run(two, {"adds": 1}, drive="usb-storage").expect("^error: The disk is full")
    run(two, {"adds": 1}, drive="usb-storage").expect(f"^{path(4)}, native, ")
    assert runs(run(two)) == "0004.KRN"


# ---- boot = NAME ----


@pytest.mark.parametrize(("name", "kernel"), [("0001", "0001.KRN"), ("full", None), ("0", None)])
def test_choice(two: DiskImage, name: str, kernel: str | None) -> None:
    chosen = ROOT if kernel is None else f"/boot/snapshots/{kernel}"
    guest = run(two, {"boot": name})
    assert f"boot = {name}: {chosen} boots.\n" in guest.console and runs(guest) == kernel
    assert slots(two) == (chosen, path(2))
    guest = run(two, {"boot": name})
    assert "boot =" not in guest.console and runs(guest) == kernel
    guest = run(two, {"boot": "native"})
    assert runs(guest) == "0002.KRN" and slots(two) == (path(2), chosen)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("0007", "it is not there"),
        ("trimmed", "there is no such kernel"),
        ("fool", "there is no such kernel"),
        ("-1", "there is no such kernel"),
        ("99999999999999999999", "there is no such kernel"),
        ("", "there is no such kernel"),
    ],
)
def test_choice_that_is_not_possible(two: DiskImage, name: str, why: str) -> None:
    guest = run(two, {"boot": name})
    choices = "there are full, 0001 (native), 0002 (native)"
    assert f"warning: boot = {name} is not possible: {why}; {choices}\n" in guest.console
    assert runs(guest) == "0002.KRN" and slots(two) == (path(2), path(1))


def test_choice_in_the_file(two: DiskImage) -> None:
    two.write("/boot/BAREFLOW.CFG", b"boot = 0001\n")
    assert runs(run(two)) == "0001.KRN"
    two.delete("/boot/BAREFLOW.CFG")
    assert runs(run(two)) == "0001.KRN"  # until another one is chosen or written


def test_choice_of_a_damaged_one(two: DiskImage) -> None:
    """The loader leaves it out; nothing is tried twice."""
    two.write(path(1), two.read(path(1))[:-1])
    guest = run(two, {"boot": "0001"})
    assert f"error: {path(1)} is truncated" in guest.serial
    assert "warning: boot = 0001 is not possible: it did not come up; there are full, " in guest.console
    assert runs(guest) == "0002.KRN" and index(two)["0001.KRN"]["result"] == "failed"
    guest = run(two, {"boot": "0001"})
    assert "warning: boot = 0001 is not possible: it did not work before" in guest.console
    assert guest.serial.count('"event":"boot"') == 1


# ---- Damage ----


def of_another_build(kernel: bytes) -> bytes:
    """The same code with another build id."""
    changed = bytearray(kernel)
    (memory,) = struct.unpack_from("<Q", changed, MEMORY_SIZE)
    struct.pack_into("<Q", changed, MEMORY_SIZE, memory + 4096)
    return seal(bytes(changed))


def that_does_not_unpack(kernel: bytes) -> bytes:
    """The loader notices only when it is too late to say so beforehand: its CRC is right."""
    return seal(kernel[:HEADER_SIZE] + bytes(4) + kernel[HEADER_SIZE + 4 :])


BUILD = "0" * 32
"""Where the test puts the guest's own build id."""


def line(kernel: str, parent: str = "BAREFLOW.KRN", **more: object) -> str:
    entry: dict[str, object] = {"kernel": kernel, "kind": "native", "build": BUILD, "maker": BUILD}
    entry |= {"parent": parent, "result": "good", "bytes": 1, "boots": 1, **more}
    return " ".join(f"{key}={value}" for key, value in entry.items())


GARBAGE = {
    "nothing": "",
    "random": random.Random(1).randbytes(5000),
    "zeros": bytes(5000),
    "long": b"x" * 70_000,
    "one word": "kernel",
    "the same twice": f"{line('0001.KRN')}\n{line('0001.KRN')}\n",
    "greatest number": line("9999.KRN"),
    "too great": line("10000.KRN"),
    "many": "\n".join(line(f"{n:04}.KRN") for n in range(1, 200)),
    "in a circle": f"{line('0001.KRN', '0002.KRN')}\n{line('0002.KRN', '0001.KRN')}",
    "parent that is not there": line("0002.KRN", "0077.KRN"),
    "CR LF": f"# by hand\r\n\r\n{line('0001.KRN')}\r\n{line('0002.KRN', '0001.KRN')}\r\n",
    "no build": line("0002.KRN", build=""),
    "huge numbers": line("0002.KRN", bytes=2**40, boots="9" * 50),
    "escape codes": line("0002.KRN", model="\x1b[31m", result="\x07"),
}


@pytest.mark.parametrize("garbage", GARBAGE.values(), ids=GARBAGE.keys())
def test_index_of_garbage(two: DiskImage, garbage: str | bytes, tmp_path: Path) -> None:
    """The loader needs no index; the next snapshot overwrites no kernel, and the index is good again."""
    two.delete(OTHER_INDEX)
    build = parse_header(two.read(ROOT)).build_id.hex()
    two.write(INDEX, garbage if isinstance(garbage, bytes) else garbage.replace(BUILD, build).encode())
    guest = run(two, {"adds": 1})
    new = next(n for n in range(1, 9999) if f"{path(n)}, native, " in guest.console)
    assert new > 2, "those of the slots are not overwritten"
    assert slots(two) == (path(new), path(2)) and two.read(path(2)) == two.read(ROOT)
    assert f"{new:04}.KRN" in index(two)
    assert runs(run(two)) == f"{new:04}.KRN"
    two.write(path(new), b"no kernel any more")
    guest = run(two)
    assert f"{path(new)} did not come up; {path(2)} is the kernel again." in guest.console
    assert slots(two)[0] == path(2) and slots(two)[1] in (path(1), ROOT)
    assert is_whole(two, tmp_path)


def test_index_with_a_broken_footer(two: DiskImage) -> None:
    """A person's editor keeps what is behind the text: the other generation counts."""
    edited = two.read(INDEX).replace(b"good", b"gone").replace(b"new ", b"old ")
    two.write(INDEX, edited)
    assert set(index(two)) <= {"0001.KRN", "0002.KRN"}
    guest = run(two, {"adds": 1})
    assert f"{path(3)}, native, " in guest.console
    assert runs(run(two)) == "0003.KRN"


def cut_short(disk: DiskImage) -> None:
    disk.write(path(2), disk.read(path(2))[:-300])


def flip_a_bit(disk: DiskImage) -> None:
    kernel = bytearray(disk.read(path(2)))
    kernel[5000] ^= 4
    disk.write(path(2), bytes(kernel))


def delete(disk: DiskImage) -> None:
    disk.delete(path(2))


@pytest.mark.parametrize(
    ("damage", "message"),
    [(cut_short, "is truncated"), (flip_a_bit, "is corrupt (wrong CRC-32)"), (delete, "is not there")],
)
def test_damaged_snapshot(two: DiskImage, damage: Callable[[DiskImage], None], message: str) -> None:
    damage(two)
    guest = run(two, {"adds": 1})
    assert f"error: {path(2)} {message}" in guest.serial
    assert f"{path(2)} did not come up; {path(1)} is the kernel again." in guest.console
    results = [entry["result"] for entry in index(two).values()]
    if damage is delete:  # its entry goes, too
        assert slots(two) == (path(2), path(1)) and results == ["good", "new"]
    else:
        assert slots(two) == (path(3), path(1)) and results == ["good", "failed", "new"]


def test_both_are_gone(two: DiskImage) -> None:
    """Then the kernel that the image was built with boots, and it is the kernel from then on."""
    for number in (1, 2):
        two.delete(path(number))
    guest = run(two)
    assert f"{path(2)} did not come up; {ROOT} is the kernel again." in guest.console
    assert slots(two) == (ROOT, ROOT)


def test_snapshot_of_another_build(two: DiskImage) -> None:
    """What the index says is not about it: nothing is noted."""
    two.write(path(2), of_another_build(two.read(path(2))))
    guest = run(two, {"adds": 1})
    assert guest.event("boot")["build_id"] == parse_header(two.read(path(2))).build_id.hex()
    assert [entry["boots"] for entry in index(two).values()] == ["1", "0", "0"]
    assert slots(two) == (path(3), path(2))


def test_new_root_takes_over(two: DiskImage) -> None:
    two.write(ROOT, of_another_build(two.read(ROOT)))
    guest = run(two, {"adds": 1})
    why = f"was written for another {ROOT}: {ROOT} boots instead."
    assert f"{path(2)} {why}" in guest.console
    assert guest.event("passed_over") == {"event": "passed_over", "kernel": path(2), "takes": ROOT}
    assert slots(two) == (path(3), ROOT)
    assert runs(run(two)) == "0003.KRN"
    guest = run(two, {"boot": "0001"})  # by hand it is still possible
    assert runs(guest) == "0001.KRN" and why not in guest.console


def test_new_root_that_cannot_be_loaded(two: DiskImage) -> None:
    """The snapshot that has given way to it boots again, and stays."""
    two.write(ROOT, that_does_not_unpack(two.read(ROOT)))
    guest = run(two, {"adds": 1})
    assert f"error: {ROOT} is corrupt (does not unpack" in guest.serial
    assert f"{ROOT} did not come up; {path(2)} is the kernel again." in guest.console
    assert guest.serial.count('"event":"boot"') == 2 and slots(two) == (path(3), path(2))


# ---- Power cuts ----


def cut_often(disk: DiskImage, folder: Path, cuts: int, bus: str) -> None:
    """A boot that notes its success, deletes old snapshots and writes two is cut anywhere: a kernel boots,
    whatever it has become, and writes snapshots."""
    run(disk, {"adds": 1})
    leave_room(disk, RESERVE + len(disk.read(ROOT)) // 2)
    before = DiskImage.copy(disk.path, folder / "before.img")
    log = folder / "writes.log"
    log.touch()
    with Guest(LoggedDisk(disk.path, drive=bus, config={"adds": 2}, log=log)) as guest:
        assert guest.wait_exit() == 0, guest.serial
    assert "is deleted" in guest.console and "0005.KRN" in guest.console
    writes, start = read_log(log), before.path.read_bytes()
    chance = random.Random(f"life {bus}")
    rebuilt = DiskImage(folder / "cut.img")
    ran = set()
    for number in range(cuts):
        rebuilt.path.write_bytes(PowerCut(start, writes, chance).disk)
        assert is_whole(rebuilt, folder), f"cut {number}"
        guest = run(rebuilt, {"adds": 1}, drive=bus)
        ran.add(runs(guest))
        assert "the next boot takes it" in guest.console and "error:" not in guest.serial
        assert rebuilt.read(ROOT) == before.read(ROOT) and is_whole(rebuilt, folder), f"cut {number}"
    assert ran <= {"0003.KRN", "0004.KRN", "0005.KRN"}


def test_few_power_cuts(two: DiskImage, tmp_path: Path) -> None:
    cut_often(two, tmp_path, 5, "ide")


@pytest.mark.soak
@pytest.mark.timeout(300 + 10 * CUTS)
@pytest.mark.parametrize("bus", ["ide", "virtio-blk"])
def test_many_power_cuts(two: DiskImage, tmp_path: Path, bus: str) -> None:
    cut_often(two, tmp_path, CUTS, bus)
