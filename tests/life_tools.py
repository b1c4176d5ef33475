"""What the tests of an image's life share: boots whose results are compared, and the kernels on a disk."""

from __future__ import annotations

import hashlib

from bareflow.disk.boot_slots import LBA, decode
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from disk_tools import DiskImage

SNAPSHOT = "/boot/snapshots/0001.KRN"
ROOT = "/boot/BAREFLOW.KRN"
PROFILE = "/profile/EXPORT.PRF"
LIMIT = 300.0
STEPS = 24
SECTOR = 512
PROMPT = "Once upon a time"


def generate(disk: DiskImage, **machine: object) -> Guest:
    """One text in a boot of its own, which may restart; its ids and logits are on the disk."""
    config = {"mode": "generate", "temperature": 0, "steps": STEPS, "prompt": PROMPT}
    config |= {"ids": "/IDS.TXT", "logits": "/LOGITS.BIN"}
    options = {"memory": 160, "snapshot": False, "crashes": 0, **machine}
    with Guest(Machine(disk.path, config=config, **options), timeout=LIMIT) as guest:  # type: ignore[arg-type]
        assert guest.wait_exit() == 0, guest.serial
    return guest


def results(disk: DiskImage) -> tuple[bytes, str]:
    """The ids, and a hash of the logits."""
    return disk.read("/IDS.TXT"), hashlib.sha256(disk.read("/LOGITS.BIN")).hexdigest()


def export(disk: DiskImage, *, texts: int = 0, **machine: object) -> Guest:
    """A boot that writes the native successor, after so many texts."""
    config = {"mode": "interactive", "temperature": 0, "steps": STEPS}
    options = {"memory": 160, "snapshot": False, "crashes": 0, **machine}
    with Guest(Machine(disk.path, config=config, **options), timeout=LIMIT) as guest:  # type: ignore[arg-type]
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
