"""The life of an image: full writes its native successor, the next boot is that, and when it is damaged its
parent boots again. Every kernel generates the same tokens with the same logits."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

import pytest
from bareflow.bench.linux_session import make_root
from bareflow.disk.boot_slots import LBA, decode
from bareflow.kernel.kernel_file import parse_header, seal
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from disk_tools import DiskImage
from fixture_types import Disk, ModelImage
from project_files import DEFAULT_MODEL, DEFAULT_TOKENIZER

SNAPSHOT = "/boot/snapshots/0001.KRN"
ROOT = "/boot/BAREFLOW.KRN"
LIMIT = 300.0
STEPS = 24
SECTOR = 512


def generate(disk: DiskImage, **machine: object) -> Guest:
    """One text in a boot of its own; its ids and logits are on the disk."""
    config = {"mode": "generate", "temperature": 0, "steps": STEPS, "prompt": "Once upon a time"}
    config |= {"ids": "/IDS.TXT", "logits": "/LOGITS.BIN"}
    options = {"memory": 160, "snapshot": False, **machine}
    with Guest(Machine(disk.path, config=config, **options), timeout=LIMIT) as guest:  # type: ignore[arg-type]
        assert guest.wait_exit() == 0, guest.serial
    return guest


def results(disk: DiskImage) -> tuple[bytes, str]:
    """The ids, and a hash of the logits."""
    return disk.read("/IDS.TXT"), hashlib.sha256(disk.read("/LOGITS.BIN")).hexdigest()


@pytest.fixture(scope="module")
def made(model_image: ModelImage, tmp_path_factory: pytest.TempPathFactory) -> DiskImage:
    """A disk on which full has written its successor. Not to be changed."""
    copy = DiskImage.copy(model_image("default"), tmp_path_factory.mktemp("life") / "disk.img")
    config = {"mode": "interactive", "temperature": 0, "steps": STEPS}
    with Guest(Machine(copy.path, config=config, memory=160, snapshot=False), timeout=LIMIT) as guest:
        guest.expect("> $")
        guest.send("/export\r")
        event = guest.expect_event("export")
        guest.expect(f"{SNAPSHOT}, native, {event['kernel_bytes']} bytes")
        guest.send("/life\r")
        assert guest.expect_event("life") == {
            "event": "life",
            "kernel": "0001.KRN",
            "kind": "native",
            "bytes": event["kernel_bytes"],
            "parent": "BAREFLOW.KRN",
            "boots": 0,
            "result": "new",
        }
        guest.send("/poweroff\r")
        assert guest.wait_exit() == 0
    return copy


@pytest.fixture
def exported(made: DiskImage, disk: Disk) -> DiskImage:
    """A copy of it."""
    return disk(made.path)


def index(disk: DiskImage) -> dict[str, str]:
    """The only snapshot's line of the index."""
    (line,) = (
        text for text in disk.newest("/boot/snapshots/INDEX.TXT").decode().splitlines() if text[0] != "#"
    )
    return dict(word.split("=") for word in line.split())


def slots(disk: DiskImage) -> tuple[str, str]:
    with disk.path.open("rb") as file:
        file.seek(LBA * SECTOR)
        record = decode(file.read(SECTOR))
    assert record is not None and record.attempts == 3
    return record.kernels


def test_same_bytes_on_linux(exported: DiskImage, build_dir: Path, tmp_path: Path) -> None:
    """The same engine makes the same kernel as a Linux program."""
    root = make_root(tmp_path / "root", DEFAULT_MODEL, DEFAULT_TOKENIZER)
    (root / "boot" / "snapshots").mkdir(parents=True)
    command = [str(build_dir / "linux" / "bareflow"), f"root={root}", "mode=interactive"]
    subprocess.run(command, input=b"/export\n/exit\n", check=True, capture_output=True, timeout=LIMIT)
    assert (root / SNAPSHOT[1:]).read_bytes() == exported.read(SNAPSHOT)


def test_successor_and_its_parent(exported: DiskImage, tmp_path: Path) -> None:
    kernel = exported.read(SNAPSHOT)
    header = parse_header(kernel)
    assert seal(kernel) == kernel, "build id and CRC are those that the image builder would make"
    assert len(kernel) < 200_000
    assert slots(exported) == (SNAPSHOT, ROOT)
    assert index(exported)["build"] == header.build_id.hex()

    full = DiskImage.copy(exported.path, tmp_path / "full.img")
    full.patch(LBA * SECTOR, bytes(SECTOR))  # no record: the loader takes /boot/BAREFLOW.KRN
    assert [event["event"] for event in generate(full).events].count("llvm") == 1
    for cpu in ("qemu64", "Haswell", "max"):
        native = generate(exported, memory=32, cpu=cpu)
        assert native.event("boot")["build_id"] == header.build_id.hex()
        assert not [event for event in native.events if event["event"] in ("llvm", "tier")]
        assert results(exported) == results(full)
    assert index(exported) | {"boots": "3", "result": "good"} == index(exported)

    offset = exported.file_offset(SNAPSHOT) + 4000
    exported.patch(offset, bytes([kernel[4000] ^ 1]))
    parent = generate(exported)
    assert f"error: {SNAPSHOT} is corrupt (wrong CRC-32)" in parent.serial
    assert f"{SNAPSHOT} did not come up; {ROOT} is the kernel again." in parent.console
    assert results(exported) == results(full)
    assert slots(exported) == (ROOT, ROOT)
    assert index(exported)["result"] == "failed"
