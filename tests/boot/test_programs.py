"""Ordinary C programs, as app= takes them: arguments, streams, files of the disk, exit status."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fixture_types import Boot, Disk
from host_program import run_on_host
from project_files import ROOT
from run_program import run

ARCHITECTURES = ["x86_64", pytest.param("i386", marks=pytest.mark.soak)]
BOTH = pytest.mark.parametrize("program_image", ARCHITECTURES, indirect=True)
"""The C library of the programs takes i386 as long to compile as all else that is built for it."""


@pytest.fixture
def program_image(request: pytest.FixtureRequest, build_dir: Path) -> Path:
    """The folder of the programs' images, for an architecture."""
    return build_dir.parents[1] / getattr(request, "param", "x86_64") / "apps"


@BOTH
def test_hello(program_image: Path) -> None:
    image = program_image / "hello" / "native" / "bareflow.img"
    result = run(image, 'args=World  "Ada Lovelace" a"b c"d')
    assert (result.returncode, result.stdout) == (0, b"Hello, World!\nHello, Ada Lovelace!\nHello, ab cd!\n")
    result = run(image, stdin=b"Ada\r\nGrace")
    assert (result.returncode, result.stdout) == (0, b"Hello, Ada!\nHello, Grace!\n")


@BOTH
def test_streams(program_image: Path, disk: Disk) -> None:
    copy = disk(program_image / "streams" / "native" / "bareflow.img")
    result = run(copy.path, "write=1", stdin=b"ab\n\nno end")
    assert result.stdout.decode() == (
        "[streams][from]['app.toml'][two words] 42 hello 6\n"
        "first 1 0.50\nsecond 2 -0.25\nlast\n1 31\n"
        "LINE 500\n?l\n"
        "<3><1><6>at the end"
    )
    assert b"there is no MISSING.TXT\n" in result.stderr
    assert result.returncode == 37
    lines = [f"line {number:03}\n" for number in range(1000)]
    lines[500] = "LINE 500\n"
    assert copy.read("/DATA/NEW.TXT").decode() == "".join(lines) + "appended\n"


def test_library_is_the_host_s(program_image: Path, disk: Disk, tmp_path: Path) -> None:
    copy = disk(program_image / "library" / "native" / "bareflow.img")
    result = run(copy.path, "write=1")
    expected = run_on_host(ROOT / "tests/boot/programs/library", tmp_path)
    assert (result.returncode, result.stdout.decode()) == (expected[0], expected[1].decode())
    assert b"caught != SIGINT does not hold\n" in result.stderr
    assert copy.read("/OPEN.TXT") == b"left open\n"
    assert copy.read("/OUTPUT.TXT") == (tmp_path / "OUTPUT.TXT").read_bytes()
    assert copy.read("/OUTPUT.TXT").endswith(b"to a file\naborted 1\n")
    assert "::/TWO.TXT" not in copy.listing("/")


def test_containers_are_the_host_s(program_image: Path, tmp_path: Path) -> None:
    image = program_image / "containers" / "native" / "bareflow.img"
    result = run(image)
    expected = run_on_host(ROOT / "tests/boot/programs/containers/containers.cpp", tmp_path)
    assert (result.returncode, result.stdout.decode()) == (expected[0], expected[1].decode())
    result = run(image, "args=x")
    assert result.returncode != 0
    assert re.search(rb"panic: C\+\+: out_of_range was thrown .*vector", result.stderr)


def test_nothing_is_linked_that_is_not_reached(program_image: Path) -> None:
    """The kernel file of a program without files, and one of a program with them."""
    kernels = [program_image / name / "native" / "bareflow.krn" for name in ("empty", "hello", "streams")]
    empty, hello, streams = (kernel.stat().st_size for kernel in kernels)
    assert empty <= 24 << 10
    assert empty < hello < streams
    names = kernels[0].with_suffix(".map").read_text().split()
    assert "main" in names  # in reports, it is not a part of another function
    result = run(kernels[0].with_suffix(".img"), "args=more")
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_date(program_image: Path, boot: Boot) -> None:
    """What CMOS says, over the end of a leap year's February."""
    image = program_image / "date" / "native" / "bareflow.img"
    guest = boot(image, extra=("-rtc", "base=2024-02-29T23:59:58,clock=vm"))
    seconds = int(guest.expect(r"^date (\d+)\n")[1])
    assert 1709251198 <= seconds < 1709251198 + 3600
    guest.expect(r"^2024-0(2-29|3-01) \d\d:\d\d:\d\d\n")
    assert guest.wait_exit() == 0
