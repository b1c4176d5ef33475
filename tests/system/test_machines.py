"""The same image on every machine: disks, chip sets, memory sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
from fat32_disk import Fat32Disk
from fixture_types import Disk, Story, Tell
from project_files import DEFAULT_MODEL


@pytest.mark.parametrize(
    ("machine", "drive"),
    [
        ("pc", "ide"),
        ("pc", "ahci"),
        ("pc", "virtio-blk"),
        ("pc", "usb-storage"),
        ("pc", "nvme"),
        ("pc", "nvme-4096"),
        ("q35", "ahci"),
        ("q35", "virtio-blk"),
        ("q35", "usb-storage"),
        ("q35", "nvme"),
    ],
)
def test_disk_is_read_and_written(
    tell: Tell,
    disk: Disk,
    story: Story,
    machine: str,
    drive: str,
) -> None:
    copy = disk(story.image)
    config = {"steps": 64, "ids": "/profile/IDS.TXT"}
    guest = tell(copy, config, machine=machine, drive=drive, snapshot=False)
    assert guest.text == story.text
    assert [int(number) for number in copy.read("/profile/IDS.TXT").split()] == story.ids


@pytest.mark.parametrize("drive", ["ide", "usb-storage"])
def test_fat32(tell: Tell, disk: Disk, story: Story, tmp_path: Path, drive: str) -> None:
    """The files of the image on a partition that mkfs.fat has formatted."""
    copy = Fat32Disk.of(disk(story.image), tmp_path / "fat32.img")
    guest = tell(copy, {"steps": 64, "ids": "/IDS.TXT"}, drive=drive, snapshot=False)
    assert guest.text == story.text
    assert [int(number) for number in copy.read("/IDS.TXT").split()] == story.ids


@pytest.mark.parametrize("way", ["ata", "pio", "bios"])
def test_disk_path(tell: Tell, story: Story, way: str) -> None:
    """On an IDE disk every way to it must read the same."""
    guest = tell(story.image, {"steps": 64, "disk": way})
    assert guest.text == story.text


@pytest.mark.parametrize("memory", [16, 64, 512, 8192])
@pytest.mark.parametrize("machine", ["pc", "q35"])
def test_memory(tell: Tell, story: Story, memory: int, machine: str) -> None:
    drive = "ide" if machine == "pc" else "ahci"
    guest = tell(story.image, {"steps": 64}, memory=memory, machine=machine, drive=drive)
    assert guest.text == story.text


def test_least_memory(tell: Tell, story: Story) -> None:
    """What README says: the default model and a text of the default length in 4 MiB."""
    guest = tell(story.image, {"steps": 256}, memory=4)
    assert guest.text.startswith(story.text)


def test_power_off_without_debug_exit(tell: Tell, story: Story) -> None:
    guest = tell(story.image, {"steps": 64}, debug_exit=False)
    assert guest.wait_end().how == "power-off"
    assert guest.text == story.text


def test_fragmented_model(tell: Tell, disk: Disk, story: Story) -> None:
    """The model fills the holes that deleted files have left, then lies in one piece."""
    copy = disk(story.image)
    copy.delete("/model/model.bin")
    for i in range(24):
        copy.write(f"/profile/{i}", b"x")
    for i in range(0, 24, 2):
        copy.delete(f"/profile/{i}")
    copy.write("/model/model.bin", DEFAULT_MODEL.read_bytes())
    assert copy.fragments("/model/model.bin") > 10
    assert tell(copy, {"steps": 64}).text == story.text
