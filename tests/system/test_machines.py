"""The same image on every machine: disks, chip sets, memory sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture_types import Disk, ModelImage, Reference, Tell


@pytest.mark.parametrize(
    ("machine", "drive"),
    [
        ("pc", "ide"),
        ("pc", "ahci"),
        ("pc", "virtio-blk"),
        ("pc", "usb-storage"),
        ("pc", "nvme"),
        ("q35", "ahci"),
        ("q35", "virtio-blk"),
        ("q35", "usb-storage"),
        ("q35", "nvme"),
    ],
)
def test_disk_is_read_and_written(
    tell: Tell,
    model_image: ModelImage,
    disk: Disk,
    reference: Reference,
    models: Path,
    machine: str,
    drive: str,
) -> None:
    copy = disk(model_image("v0"))
    config = {"steps": 64, "ids": "/profile/IDS.TXT"}
    guest = tell(copy, config, machine=machine, drive=drive, snapshot=False)
    assert guest.text == reference("greedy_n64")
    assert copy.read("/profile/IDS.TXT").split() == (models / "ref64.ids.txt").read_bytes().split()


@pytest.mark.parametrize("way", ["ata", "pio", "bios"])
def test_disk_path(tell: Tell, model_image: ModelImage, reference: Reference, way: str) -> None:
    """On an IDE disk every way to it must read the same."""
    guest = tell(model_image("v0"), {"steps": 64, "disk": way})
    assert guest.text == reference("greedy_n64")


@pytest.mark.parametrize("memory", [16, 64, 512, 8192])
@pytest.mark.parametrize("machine", ["pc", "q35"])
def test_memory(tell: Tell, model_image: ModelImage, reference: Reference, memory: int, machine: str) -> None:
    drive = "ide" if machine == "pc" else "ahci"
    guest = tell(model_image("v0"), {"steps": 64}, memory=memory, machine=machine, drive=drive)
    assert guest.text == reference("greedy_n64")


def test_power_off_without_debug_exit(tell: Tell, model_image: ModelImage, reference: Reference) -> None:
    guest = tell(model_image("v0"), {"steps": 64}, debug_exit=False)
    assert guest.wait_end().how == "power-off"
    assert guest.text == reference("greedy_n64")


def test_fragmented_model(
    tell: Tell, model_image: ModelImage, disk: Disk, reference: Reference, models: Path
) -> None:
    """The model fills the holes that deleted files have left, then lies in one piece."""
    copy = disk(model_image("v0"))
    copy.delete("/model/model.bin")
    for i in range(24):
        copy.write(f"/profile/{i}", b"x")
    for i in range(0, 24, 2):
        copy.delete(f"/profile/{i}")
    copy.write("/model/model.bin", (models / "stories260K.bin").read_bytes())
    assert copy.fragments("/model/model.bin") > 10
    assert tell(copy, {"steps": 64}).text == reference("greedy_n64")
