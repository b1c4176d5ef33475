"""The disk that `run` boots: a copy of the image once something may write to it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from bareflow.run.written_disk import disk_to_boot, former_disk, written_disk


@pytest.fixture
def image(tmp_path: Path) -> Path:
    made = tmp_path / "bareflow.img"
    make(made, b"image", 1)
    return made


def make(file: Path, content: bytes, second: int) -> None:
    file.write_bytes(content)
    os.utime(file, (second, second))


def test_nothing_is_written_to_the_image(image: Path) -> None:
    """What is written is kept for the next run, whether that may write or not."""
    said: list[str] = []
    assert disk_to_boot(image, False, said.append) == image
    assert said == [] and not written_disk(image).exists()
    disk = disk_to_boot(image, True, said.append)
    assert disk.read_bytes() == b"image" and disk != image
    disk.write_bytes(b"learnt")
    for writes in (False, True):
        assert disk_to_boot(image, writes, said.append).read_bytes() == b"learnt"
    assert image.read_bytes() == b"image"
    assert all(str(disk) in sentence for sentence in said) and len(said) == 3
    assert sorted(image.parent.iterdir()) == sorted([image, disk])


def test_an_image_that_is_made_again(image: Path) -> None:
    """It is booted as it is; the next disk is a copy of it, and the former one is kept."""
    disk = disk_to_boot(image, True, print)
    make(disk, b"learnt", 2)
    make(image, b"another", 3)
    assert disk_to_boot(image, False, print) == image
    assert disk.read_bytes() == b"learnt"
    said: list[str] = []
    assert disk_to_boot(image, True, said.append).read_bytes() == b"another"
    assert former_disk(image).read_bytes() == b"learnt"
    assert str(former_disk(image)) in said[0]


def test_no_half_of_a_copy(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError("no space")

    monkeypatch.setattr("subprocess.run", fail)
    with pytest.raises(OSError, match="no space"):
        disk_to_boot(image, True, print)
    assert list(image.parent.iterdir()) == [image]


def test_a_copy_has_the_image_s_holes(image: Path) -> None:
    with image.open("r+b") as file:
        file.truncate(1 << 30)
    disk = disk_to_boot(image, True, print)
    assert disk.stat().st_size == 1 << 30 and disk.stat().st_blocks * 512 < 1 << 20
