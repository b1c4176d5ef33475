"""Ordinary C programs where the JIT runs them: the same library, on every level."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from host_program import run_on_host
from project_files import ROOT

SOURCE = ROOT / "tests/boot/programs/library/library.c"


@pytest.mark.parametrize("setting", ["jit.tier0=interpreter", "jit.tier0=O0"])
def test_library_is_the_host_s(build_dir: Path, tmp_path: Path, setting: str) -> None:
    program = build_dir.parent / "apps/library/full/linux/bareflow"
    for name in ("host", "root", "root/profile"):
        (tmp_path / name).mkdir()
    expected, output = run_on_host(SOURCE, tmp_path / "host")
    settings = [f"root={tmp_path}/root", setting]
    result = subprocess.run([program, *settings], capture_output=True, timeout=120, check=False)
    assert (result.returncode, result.stdout.decode()) == (expected, output.decode())
    assert (tmp_path / "root/OPEN.TXT").read_bytes() == b"left open\n"
