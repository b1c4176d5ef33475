"""What the tests of an image's life share: boots whose results are compared, and the kernels on a disk."""

from __future__ import annotations

import hashlib
import subprocess
import zlib
from collections.abc import Mapping
from pathlib import Path

from bareflow.disk.boot_slots import LBA, decode
from bareflow.llvm import llvm_tool
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from disk_tools import DiskImage
from power_cut import LoggedDisk
from profile_tools import PROFILE_PATH
from sparse_copy import copy_sparse

SNAPSHOT = "/boot/snapshots/0001.KRN"
ROOT = "/boot/BAREFLOW.KRN"
PROFILE = "/profile/EXPORT.PRF"
LIMIT = 300.0
STEPS = 24
SECTOR = 512
CRC_LINE = 13  # bytes of a profile's last line
PROMPT = "Once upon a time"
SECOND = "/boot/snapshots/0002.KRN"
RECORD = "/profile/SETTLED.TXT"
MOST_BOOTS = 6
SOON: Mapping[str, object] = {"life.settle": 1}
AT_ONCE: Mapping[str, object] = {**SOON, "coverage": "off"}
"""Then full has nothing to trim by, and writes the native kernel."""
TRIMS = "This machine has settled: it writes a trimmed copy of its kernel; a key puts that off ..."
EXPORTS = "This machine has settled: it writes a native kernel; a key puts that off ..."
BY_HAND: Mapping[str, object] = {"life.settle": 0}
"""The machine writes no kernel by itself."""


BEFORE, WRITES = "before.img", "writes.log"
"""Beside a disk image: what it was before the last boot that was logged, and what that boot wrote."""


def logged(disk: DiskImage) -> dict[str, object]:
    """Options of the boots below, so that BEFORE and WRITES are of the one that follows."""
    folder = disk.path.parent
    copy_sparse(disk.path, folder / BEFORE)
    (folder / WRITES).write_bytes(b"")
    return {"kind": LoggedDisk, "log": folder / WRITES}


def generate(
    disk: DiskImage,
    settings: Mapping[str, object] = BY_HAND,
    kind: type[Machine] = Machine,
    **machine: object,
) -> Guest:
    """One text in a boot of its own, which may restart; its ids and logits are on the disk."""
    config = {"mode": "generate", "temperature": 0, "steps": STEPS, "prompt": PROMPT, **settings}
    config |= {"ids": "/IDS.TXT", "logits": "/LOGITS.BIN"}
    options = {"memory": 160, "snapshot": False, "crashes": 0, **machine}
    with Guest(kind(disk.path, config=config, **options), timeout=LIMIT) as guest:  # type: ignore[arg-type]
        assert guest.wait_exit() == 0, guest.serial
    return guest


def results(disk: DiskImage) -> tuple[bytes, str]:
    """The ids, and a hash of the logits."""
    return disk.read("/IDS.TXT"), hashlib.sha256(disk.read("/LOGITS.BIN")).hexdigest()


def counts(disk: DiskImage) -> dict[str, int]:
    """What the record of settling counts."""
    lines = [line.split("=", 1) for line in disk.newest(RECORD).decode().splitlines()]
    return {key: int(value) for key, value in lines[3:]}


def steps(guest: Guest) -> list[tuple[str, str]]:
    """The steps that a machine which has settled took in this boot, and how each ended."""
    return [(event["step"], event["result"]) for event in guest.events if event["event"] == "settle"]


def boots_until(
    disk: DiskImage, step: str, settings: Mapping[str, object], *, log: bool = False, **machine: object
) -> list[Guest]:
    """Boots until a step is taken; all generate the same text. log: the last one is logged."""
    boots: list[Guest] = []
    expected = None
    while len(boots) < MOST_BOOTS and not (boots and steps(boots[-1])):
        boots.append(generate(disk, settings, **(logged(disk) if log else {}), **machine))  # type: ignore[arg-type]
        expected = expected or results(disk)
        assert results(disk) == expected
    assert steps(boots[-1]) == [(step, "written")], boots[-1].console
    return boots


def export(disk: DiskImage, *, texts: int = 0, kind: type[Machine] = Machine, **machine: object) -> Guest:
    """A boot that writes the native successor, after so many texts."""
    config = {"mode": "interactive", "temperature": 0, "steps": STEPS, **BY_HAND}
    options = {"memory": 160, "snapshot": False, "crashes": 0, **machine}
    with Guest(kind(disk.path, config=config, **options), timeout=LIMIT) as guest:  # type: ignore[arg-type]
        guest.expect("> $")
        for _ in range(texts):
            guest.send(f"{PROMPT}\r")
            guest.expect_event("generate")
            guest.expect("> $")
        guest.send("/export\r")
        guest.expect_event("export")
        guest.expect("the next boot takes it")
        guest.send("/life\r/poweroff\r")
        assert guest.wait_exit() == 0, guest.serial
    return guest


def index(disk: DiskImage) -> dict[str, dict[str, str]]:
    """The snapshots by name: what the index says of each."""
    found = {}
    for line in disk.newest("/boot/snapshots/INDEX.TXT").decode().splitlines():
        if line[0] != "#":
            entry = dict(word.split("=", 1) for word in line.split())
            found[entry["kernel"]] = entry
    return found


def slots(disk: DiskImage) -> tuple[str, str]:
    """The newest kernel, and the one for when that does not come up."""
    with disk.path.open("rb") as file:
        file.seek(LBA * SECTOR)
        record = decode(file.read(SECTOR))
    assert record is not None and record.attempts == 3
    return record.kernels


def forget_slots(disk: DiskImage) -> None:
    """Without a record the loader takes /boot/BAREFLOW.KRN."""
    disk.patch(LBA * SECTOR, bytes(SECTOR))


def widths_of(function: str, build_dir: Path) -> list[str]:
    """The names that a kernel's function has in the application, by vector width: SSE2, AVX2, AVX-512. A
    trimmed variant has full's application."""
    bitcode = build_dir.with_name("full") / "embedded" / "app.bc"
    command = [llvm_tool("llvm-nm"), "--format=posix", "--no-sort", str(bitcode)]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    found = [line.split(" ")[0] for line in names]
    return [name for name in found if name.split(".")[0] == function]


def choose(disk: DiskImage, function: str, body: str) -> None:
    """Writes into the profile that the function was fastest with another one's code."""
    lines = disk.newest(PROFILE_PATH)[:-CRC_LINE].decode().splitlines(keepends=True)
    at = next(i for i, line in enumerate(lines) if line.startswith(f"function {function} "))
    end = next((i for i in range(at + 1, len(lines)) if lines[i].startswith("function ")), len(lines))
    lines.insert(end, f"candidate {body} shape 0 cycles 1 chosen 1\n")
    text = "".join(lines).encode()
    disk.delete(f"{PROFILE_PATH[:-1]}~")
    disk.write(PROFILE_PATH, text + f"crc {zlib.crc32(text):08x}\n".encode())
