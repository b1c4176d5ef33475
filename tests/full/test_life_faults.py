"""What goes wrong while full writes its copy and its successor: no room on the disk, too little memory, a
power cut. It says so, and goes on as it was."""

from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pytest
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from disk_tools import DiskImage
from fixture_types import Boot, Disk, MadeDisk
from life_tools import BEFORE, LIMIT, PROMPT, ROOT, STEPS, WRITES, generate, index, results
from power_cut import PowerCut, read_log
from profile_tools import beyond_a_cut, fsck

DIALOGUE = {"mode": "interactive", "temperature": 0, "steps": STEPS}
MEMORY = 160
pytestmark = pytest.mark.timeout(3 * LIMIT)
MIB = 1 << 20
LEAST_HEAP = 32 * MIB
"""Of kernel_lib/jit/engine: with less the machine ends with a message when it boots."""
CUTS = 2
"""Of a boot's writes, with boots after them."""


@pytest.fixture
def copy(once: DiskImage, disk: Disk) -> DiskImage:
    return disk(once.path)


def say(guest: Guest, line: str) -> str:
    """What the machine answers to a line."""
    before = len(guest.console)
    guest.send(f"{line}\r")
    guest.expect("> $")
    return str(guest.console[before:])


def dialogue(disk: DiskImage, lines: list[str], **options: Any) -> list[str]:
    """A boot with these lines, which ends as it should; the answers."""
    options = {"memory": MEMORY, "snapshot": False, "config": DIALOGUE, **options}
    with Guest(Machine(disk.path, **options), timeout=LIMIT) as guest:
        guest.expect("> $")
        answers = [say(guest, line) for line in lines]
        guest.send("/poweroff\r")
        assert guest.wait_exit() == 0, guest.serial
    return answers


def is_as_before(disk: DiskImage, once: DiskImage) -> None:
    """The next boot takes full, and generates what it always does."""
    assert index(disk) == {} and disk.listing("/boot/snapshots") in ([], ["::/boot/snapshots/INDEX.TXT"])
    assert [event["event"] for event in generate(disk).events].count("llvm") == 1
    assert results(disk) == results(once)


@pytest.mark.soak
@pytest.mark.parametrize("command", ["/export", "/trim"])
def test_full_disk(copy: DiskImage, once: DiskImage, command: str) -> None:
    copy.write("/FILLER.BIN", bytes(copy.free_bytes() - 60_000))
    written, text = dialogue(copy, [command, PROMPT])
    full = r"error: The disk is full: the snapshot needs \d+ KiB, \d+ KiB are free, and \d+ KiB would be"
    assert re.search(full, written)
    assert "\nerror:" not in text and PROMPT in text
    copy.delete("/FILLER.BIN")
    is_as_before(copy, once)


@pytest.mark.parametrize("made", ["settled", "successor"])
def test_power_cuts(request: pytest.FixtureRequest, made: str, once: DiskImage, tmp_path: Path) -> None:
    """In the boots that have written the copy and the successor: whichever kernel boots then, it generates
    the same."""
    disk: MadeDisk = request.getfixturevalue(made)
    folder = disk.disk.path.parent
    before, writes = DiskImage(folder / BEFORE), read_log(folder / WRITES)
    start, chance = before.path.read_bytes(), random.Random(13)
    rebuilt = DiskImage(tmp_path / "cut.img")
    for number in range(CUTS):
        rebuilt.path.write_bytes(PowerCut(start, writes, chance).disk)
        assert beyond_a_cut(fsck(rebuilt.path, tmp_path)) == [], f"cut {number}"
        generate(rebuilt)
        assert results(rebuilt) == results(once), f"cut {number}"
        assert beyond_a_cut(fsck(rebuilt.path, tmp_path)) == [], f"cut {number}"
        assert rebuilt.read(ROOT) == before.read(ROOT)


def test_too_little_memory(copy: DiskImage, once: DiskImage, boot: Boot, trims_itself: bool) -> None:
    """The heap has just what the compiler demands to begin with: neither is begun."""
    guest = boot(copy, memory=MEMORY, config=DIALOGUE)
    memory = MEMORY - (guest.expect_event("boot")["heap_bytes"] - LEAST_HEAP) // MIB
    guest.kill()
    exported, trimmed, text = dialogue(copy, ["/export", "/trim", PROMPT], memory=memory)
    lacking = r"[Ii]t takes \d+ MiB of memory, and \d+ are free\.\n"
    assert re.search(f"error: No kernel was made: {lacking}", exported)
    assert re.search(f"error: {lacking if trims_itself else 'This kernel has been trimmed'}", trimmed)
    assert "\nerror:" not in text and PROMPT in text
    is_as_before(copy, once)
