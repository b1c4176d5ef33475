"""examples/lua and examples/sqlite where they are compiled while they run: the right output, and again in a
second boot on the same disk, which knows what the first one has learnt."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.disk.fat import write_file
from fixture_types import Disk
from profile_tools import fsck, read_profile
from project_files import ROOT
from run_program import run
from sqlite_host import run_script

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800)]
LIMIT = 600.0
SCRIPT = """
local text = {}
for i = 1, 300 do text[i] = string.format("%d:%s", i % 7, ("x"):rep(i % 5)) end
table.sort(text)
local last = text[1]
for i, each in ipairs(text) do if each ~= last then print(last, i - 1); last = each end end
print(last, #text, select("#", table.unpack(text)), pcall(error, "so"))
"""


@pytest.fixture
def built(build_dir: Path) -> Path:
    """The folder of the programs' images."""
    return build_dir.parent / "apps"


def test_lua(built: Path, disk: Disk) -> None:
    copy = disk(built / "lua/full/bareflow.img")
    write_file(copy.path, "/SORT.LUA", SCRIPT.encode())
    text = sorted(f"{i % 7}:{'x' * (i % 5)}" for i in range(1, 301))
    ends = [i for i in range(1, 300) if text[i] != text[i - 1]]
    lines = [f"{text[i - 1]}\t{i}" for i in ends] + [f"{text[-1]}\t300\t300\tfalse\tso"]
    for boot in (1, 2):
        result = run(copy.path, "write=1", "args=/SORT.LUA", limit=LIMIT)
        assert (result.returncode, result.stdout.decode().splitlines()) == (0, lines)
        assert read_profile(copy).boots == boot


def test_sqlite(built: Path, disk: Disk, tmp_path: Path) -> None:
    copy = disk(built / "sqlite/full/bareflow.img")
    _, expected = run_script((ROOT / "examples/sqlite/words.sql").read_text())
    for boot in (1, 2):
        result = run(copy.path, "write=1", "args=/WORDS.DB /WORDS.SQL", limit=LIMIT)
        assert (result.returncode, result.stdout.decode()) == (0, expected)
        assert read_profile(copy).boots == boot
    assert fsck(copy.path, tmp_path) == []
