"""Clusters of 64 KiB, which a FAT16 partition has from 2 to 4 GiB on: here on a smaller one."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.disk import fat_image
from copied_file import CONTENTS, COPY, INPUT
from disk_tools import PARTITION_OFFSET, DiskImage
from fixture_types import Boot
from profile_tools import fsck

CLUSTER = 65536
PARTITION = 5000 * CLUSTER


def test_clusters_of_64_kib(
    boot: Boot, build_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fat_image, "MIN_CLUSTER", CLUSTER)
    monkeypatch.setattr(fat_image, "MIN_PARTITION", PARTITION)
    boot_dir = build_dir.parent / "boot"
    loader = [(boot_dir / f"{stage}.bin").read_bytes() for stage in ("stage1", "stage2")]
    kernel = (build_dir / "guests" / "disk_files" / "disk_files.krn").read_bytes()
    image = DiskImage(tmp_path / "large.img")
    fat_image.build_image(image.path, loader[0], loader[1], {"/boot/BAREFLOW.KRN": kernel, INPUT: CONTENTS})
    sectors = image.path.read_bytes()[PARTITION_OFFSET + 13]
    assert sectors == CLUSTER // 512
    guest = boot(image, snapshot=False)
    assert guest.wait_exit() == 0, guest.serial
    assert image.read(COPY) == CONTENTS
    assert fsck(image.path, tmp_path) == []
