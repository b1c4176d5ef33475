"""What the build says to a wrong command line, before it builds anything."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def scons(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "SCons", "-Q", f"build={folder}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["promt=x"], "there is no option 'promt'. Did you mean 'prompt'?"),
        (["qqqq=1"], "there is no option 'qqqq'."),
        (["tset"], "there is no target 'tset'. Did you mean 'test'?"),
        (["arch=i386", "variant=full"], "arch=i386 does not exist yet for variant=full; use arch=x86_64"),
        (["arch=i386", "platform=linux"], "platform=linux is not for arch=i386"),
        (["variant=fool"], "Invalid value for enum variable 'variant': 'fool'"),
        (
            ["model=nowhere.bin"],
            f"model=nowhere.bin: there is no file {ROOT}/nowhere.bin, and no model of this",
        ),
        (["model=stories15m"], "Did you mean model=stories15M?"),
        (["tokenizer=nowhere.bin"], f"tokenizer=: there is no file {ROOT}/nowhere.bin"),
        (["run", "model=pyproject.toml"], f"there is no {ROOT}/tokenizer.bin; give the model's tokenizer"),
        (["test", "platform=linux"], "the target 'test' is not for platform=linux; `bench` is"),
        (["fallback=nowhere.krn"], f"fallback=: there is no file {ROOT}/nowhere.krn"),
        (["fallback=README.md"], f"fallback={ROOT}/README.md is no kernel file: signature 0x"),
        (["workload=nowhere.toml"], f"workload=: there is no file {ROOT}/nowhere.toml"),
        (["held_out"], "the target 'held_out' is for variant=trimmed"),
        (["fuzz_seconds=x"], "fuzz_seconds=x is not a whole number"),
        (["install"], "install needs DESTDIR=FOLDER"),
        (["dist", "platform=linux"], "the target 'dist' is not for platform=linux"),
    ],
)
def test_refused_by_name(arguments: list[str], message: str, tmp_path: Path) -> None:
    result = scons(*arguments, folder=tmp_path)
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "x86_64").exists()


def test_help_names_targets_and_options(tmp_path: Path) -> None:
    result = scons("help", folder=tmp_path)
    assert result.returncode == 0
    for word in ("image", "run", "test", "variant=", "model=", "llvm_libc_tarball="):
        assert f"  {word}" in result.stdout


@pytest.mark.parametrize("target", ["run", "image", "help"])
def test_closed_standard_output(target: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "SCons", "-Q", f"build={tmp_path}", target]
    shell = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    result = subprocess.run(shell, cwd=ROOT, stderr=subprocess.PIPE, text=True, timeout=120)
    assert (result.returncode, result.stderr) == (1, "bareflow: standard output is closed\n")
    assert not (tmp_path / "x86_64").exists()


def test_help_that_nobody_gets(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "SCons", "-Q", f"build={tmp_path}", "help"]
    with open("/dev/full", "w") as full:
        result = subprocess.run(
            command, cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, timeout=120
        )
    assert result.returncode == 1
    assert result.stderr == "bareflow: standard output cannot be written: No space left on device\n"
