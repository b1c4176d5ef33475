"""examples/sqlite: SQL on files of the disk, and what a power cut leaves of transactions."""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path

import pytest
from disk_tools import DiskImage
from fixture_types import Disk
from profile_tools import beyond_a_cut, fsck
from project_files import ROOT
from run_program import run
from sqlite_cuts import DATABASE, live, read_database
from sqlite_host import run_script

CUTS = int(os.environ.get("BAREFLOW_BOOTS", "10"))
BOOTED_CUTS = 8
"""After at most so many of them the disk is booted."""
GREW = re.compile(
    r"/DATA\.\w+$|File size is \d+ bytes, cluster chain length is > \d+ bytes\.|Truncating file to \d+ bytes"
)
"""What fsck says of a file that was growing."""
CHECK = b"PRAGMA integrity_check; SELECT n FROM counter;\n"


@pytest.fixture
def sqlite(build_dir: Path) -> Path:
    return build_dir.parent / "apps/sqlite/native/bareflow.img"


def test_script_is_the_host_s(sqlite: Path, disk: Disk, tmp_path: Path) -> None:
    copy = disk(sqlite)
    host, expected = run_script((ROOT / "examples/sqlite/words.sql").read_text())
    for _ in range(2):  # the second boot finds the database of the first
        result = run(copy.path, "write=1", "args=/WORDS.DB /WORDS.SQL")
        assert result.stdout.decode() == expected
        assert result.returncode == 0
    (tmp_path / "words.db").write_bytes(copy.read("/WORDS.DB"))
    there = sqlite3.connect(tmp_path / "words.db")
    assert (
        there.execute("SELECT * FROM numbers").fetchall() == host.execute("SELECT * FROM numbers").fetchall()
    )
    assert fsck(copy.path, tmp_path) == []


def test_errors(sqlite: Path) -> None:
    result = run(sqlite, "args=/DATA.DB", stdin=b"SELECT 1;\nSELECT x;\nSELECT 2")
    assert (result.returncode, result.stdout) == (1, b"1\n2\n")
    assert b"error: no such column: x\n" in result.stderr
    result = run(sqlite, "args=/longer-name.db", stdin=b"CREATE TABLE t(x);\n")
    assert result.returncode == 1
    assert b"must be of the form 8.3" in result.stderr


def cut_often(image: DiskImage, folder: Path, bus: str, cuts: int, journal_mode: str) -> None:
    life = live(image, folder, bus, 12 if cuts < 8 else 25, journal_mode)
    assert read_database(image, folder) == len(life.committed)
    assert fsck(image.path, folder) == []
    for number, (cut, committed) in enumerate(life.cuts(cuts, f"{bus} {journal_mode}")):
        image.path.write_bytes(cut.disk)
        found = read_database(image, folder)
        assert committed <= found <= committed + 1, f"cut {number}"
        complaints = [line for line in fsck(image.path, folder) if not GREW.match(line)]
        assert beyond_a_cut(complaints) == [], f"cut {number}"
        if number % max(1, cuts // BOOTED_CUTS) == 0:
            result = run(image.path, "write=1", f"drive={bus}", f"args={DATABASE}", stdin=CHECK)
            assert result.stdout.decode() == f"ok\n{found}\n", f"cut {number}"
            assert fsck(image.path, folder) == [], f"cut {number}"
            assert read_database(image, folder) == found


def test_few_cuts(sqlite: Path, disk: Disk, tmp_path: Path) -> None:
    cut_often(disk(sqlite), tmp_path, "virtio-blk", 3, "TRUNCATE")


@pytest.mark.soak
@pytest.mark.timeout(300 + 5 * CUTS)
@pytest.mark.parametrize("journal_mode", ["DELETE", "TRUNCATE", "WAL"])
@pytest.mark.parametrize("bus", ["ide", "ahci", "virtio-blk", "nvme"])
def test_many_cuts(sqlite: Path, disk: Disk, tmp_path: Path, bus: str, journal_mode: str) -> None:
    cut_often(disk(sqlite), tmp_path, bus, CUTS, journal_mode)
