"""A disk through its whole life, with the guest's own settings: in the end nothing changes any more."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from bareflow.disk.generations import sibling
from bareflow.evolve import evolve
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from disk_tools import DiskImage
from fixture_types import Disk
from life_tools import index
from profile_tools import fsck
from project_files import ROOT

BOOTS = 30
AT_THE_END = 10
LIMIT = 600.0
INDEX = "/boot/snapshots/INDEX.TXT"
STORY = {"mode": "generate", "temperature": 0, "steps": 32, "prompt": "Once upon a time"}
MEMORY = 256


def without_index(disk: DiskImage) -> bytes:
    """All of the disk but the index's text, in which every boot is counted."""
    contents = bytearray(disk.path.read_bytes())
    for path in (INDEX, sibling(INDEX)):
        assert disk.fragments(path) == 1
        start = disk.file_offset(path)
        size = len(disk.read(path))
        contents[start : start + size] = bytes(size)
    return bytes(contents)


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_comes_to_an_end(disk: Disk, full_image: Path, tmp_path: Path) -> None:
    copy = disk(full_image)
    text, kinds, at_the_end = None, [], set()
    for number in range(1, BOOTS + 1):
        machine = Machine(copy.path, config=STORY, memory=MEMORY, snapshot=False, crashes=0)
        with Guest(machine, timeout=LIMIT) as guest:
            assert guest.wait_exit() == 0, guest.serial
        steps = [event["result"] for event in guest.events if event["event"] == "settle"]
        assert set(steps) <= {"written"}, guest.console
        text = text or guest.text
        assert guest.text == text
        kinds.append("llvm" if [event for event in guest.events if event["event"] == "llvm"] else "native")
        if number >= BOOTS - AT_THE_END:
            at_the_end.add(without_index(copy))
    assert kinds == sorted(kinds) and kinds[-2 * AT_THE_END :] == ["native"] * (2 * AT_THE_END)
    assert [entry["kind"] for entry in index(copy).values()] == ["trimmed", "native"]
    assert len(at_the_end) == 1, "the last boots have changed more than the index"
    assert fsck(copy.path, tmp_path) == []


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_evolve(full_image: Path, tmp_path: Path) -> None:
    """With nothing typed: full, the trimmed copy, the native kernel. The command compares their logits."""
    workload = ROOT / "variants" / "workload.toml"
    options = {"image": full_image, "boots": 8, "workload": workload, "cpu": "Haswell", "folder": tmp_path}
    assert evolve.main([f"{key}={value}" for key, value in options.items()]) == 0
    rows = list(csv.DictReader((tmp_path / "evolve.csv").open()))
    kinds = [row["kind"] for row in rows]
    assert kinds[:3] == ["full"] * 3 and kinds[-2:] == ["native"] * 2
    assert "trimmed" in kinds and kinds == sorted(kinds, key=["full", "trimmed", "native"].index)
    written = [row["kernel"] for row in rows if row["written"]]
    assert written == ["BAREFLOW.KRN", "0001.KRN"]
