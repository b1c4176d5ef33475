"""One build at a time in a folder, and the folders that builds cannot use."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from project_files import ROOT

SITE_SCONS = ROOT / "site_scons"

HOLDER = """
import sys
from pathlib import Path
from build_folder import BuildLock
BuildLock(Path(sys.argv[1]), ["-Q", "run", "prompt=two words"])
print("held", flush=True)
sys.stdin.read()
"""

# Its first build lets others in before its end, and starts one that makes another thing of the same file.
SCONSTRUCT = """
import os, subprocess, sys
from pathlib import Path
sys.path.insert(0, {scripts!r})
import build_folder
lock = build_folder.locked(Path("build").absolute(), sys.argv[1:])
SConsignFile("build/.sconsign")
env = Environment(tools=[], ENV=dict(os.environ))
def make(target, source, env):
    Path(str(target[0])).write_text(source[0].get_text_contents())
env.Command("build/made", Value(ARGUMENTS["what"]), make)
def run(target, source, env):
    lock.release()
    if ARGUMENTS["what"] == "first":
        subprocess.run([sys.executable, "-m", "SCons", "-Q", "what=second", "build/made"], check=True)
env.AlwaysBuild(env.Alias("run", "build/made", run))
"""


def python(*arguments: str) -> list[str]:
    return [sys.executable, "-c", *arguments]


ENVIRONMENT = os.environ | {"PYTHONPATH": str(SITE_SCONS)}


def test_waits_and_says_for_whom(tmp_path: Path) -> None:
    with subprocess.Popen(
        python(HOLDER, str(tmp_path)),
        env=ENVIRONMENT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as first:
        assert first.stdin and first.stdout and first.stderr
        assert first.stdout.readline() == "held\n"
        with subprocess.Popen(
            python(HOLDER, str(tmp_path)),
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as second:
            assert second.stdout and second.stderr
            assert second.stderr.readline() == (
                f"bareflow: waiting for another build in {tmp_path} "
                f"(process {first.pid}: ./bareflow run 'prompt=two words')\n"
            )
            assert second.poll() is None
            first.stdin.close()
            assert second.stdout.readline() == "held\n"
        assert first.stderr.read() == ""


def scons(folder: Path, *arguments: str) -> str:
    result = subprocess.run(
        [sys.executable, "-m", "SCons", "-Q", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_what_is_built_after_a_release_is_not_forgotten(tmp_path: Path) -> None:
    (tmp_path / "SConstruct").write_text(SCONSTRUCT.format(scripts=str(SITE_SCONS)))
    scons(tmp_path, "what=first", "run")
    assert (tmp_path / "build" / "made").read_text() == "second"
    assert "is up to date" in scons(tmp_path, "what=second", "build/made")
    scons(tmp_path, "what=first", "build/made")
    assert (tmp_path / "build" / "made").read_text() == "first"


@pytest.mark.parametrize("call", ["locked(Path(sys.argv[1]), [])", "shared_cache(sys.argv[1])"])
def test_a_file_in_the_way(tmp_path: Path, call: str) -> None:
    (tmp_path / "file").touch()
    code = f"import sys\nfrom pathlib import Path\nfrom build_folder import *\n{call}"
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        result = subprocess.run(python(code, str(path)), env=ENVIRONMENT, capture_output=True, text=True)
        assert result.returncode == 1
        assert result.stderr.startswith("bareflow: ") and str(path) in result.stderr
        assert len(result.stderr.splitlines()) == 1
