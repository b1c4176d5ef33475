"""The programs in examples/: what they print is what this machine's compiler makes them print."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from fixture_types import Disk
from host_program import run_on_host
from project_files import ROOT
from run_program import run

EXAMPLES = ROOT / "examples"


@pytest.mark.parametrize(("name", "arguments"), [("vm", "12"), ("orbits", "3")])
def test_output(build_dir: Path, tmp_path: Path, name: str, arguments: str) -> None:
    image = build_dir.parent / "apps" / name / "native/bareflow.img"
    result = run(image, f"args={arguments}")
    expected = run_on_host(EXAMPLES / name / f"{name}.c", tmp_path, *arguments.split())
    assert (result.returncode, result.stdout.decode()) == (expected[0], expected[1].decode())


def test_words(build_dir: Path, disk: Disk, tmp_path: Path) -> None:
    copy = disk(build_dir.parent / "apps/words/native/bareflow.img")
    result = run(copy.path, "write=1")
    shutil.copy(EXAMPLES / "words/text.txt", tmp_path)
    expected = run_on_host(EXAMPLES / "words/words.c", tmp_path, "text.txt", "words.txt")
    assert (result.returncode, result.stdout.decode()) == (expected[0], expected[1].decode())
    assert copy.read("/WORDS.TXT") == (tmp_path / "words.txt").read_bytes()
    result = run(copy.path, "args=/NONE.TXT")
    assert (result.returncode, result.stdout) == (1, b"")
    assert b"/NONE.TXT: " in result.stderr
