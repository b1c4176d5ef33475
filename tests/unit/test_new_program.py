"""`./bareflow new DIR` makes a program that can be built."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from bareflow.app import load_app
from bareflow.errors import BareFlowError
from bareflow.new_program import make
from host_program import run_on_host
from project_files import ROOT


def test_what_is_made_is_a_program(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "my first_one"
    make(folder)
    app = load_app(folder)
    assert app.name == "my-first_one"
    assert app.sources() == [folder / "main.c"]
    status, output = run_on_host(folder / "main.c", tmp_path)
    assert (status, output) == (0, f"Hello from {tmp_path}/program, with 0 arguments.\n".encode())


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "main.c").write_text("mine")
    with pytest.raises(BareFlowError, match="is not empty"):
        make(tmp_path)
    with pytest.raises(BareFlowError, match="cannot be made: File exists"):
        make(tmp_path / "main.c")
    assert (tmp_path / "main.c").read_text() == "mine"


@pytest.mark.parametrize(("arguments", "status"), [(["one"], 0), ([], 1), (["one", "two"], 1), (["-h"], 1)])
def test_command(tmp_path: Path, arguments: list[str], status: int) -> None:
    result = subprocess.run(
        [sys.executable, "-m", "bareflow.new_program", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "site_scons"), "BAREFLOW_CWD": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == status
    if status == 0:
        assert result.stdout == "one has main.c and app.toml. Next: ./bareflow app=one run\n"
        assert sorted(path.name for path in (tmp_path / "one").iterdir()) == ["app.toml", "main.c"]
    else:
        assert result.stderr == "bareflow: new wants the name of one folder: ./bareflow new DIR\n"
