"""What C and C++ programs expect of their surroundings, in a guest and as a Linux program."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from fixture_types import Boot, GuestImage

EXPECTED = """\
first
second
a static object comes
thread-local variables: 1
static object: 7
a shape goes
a shape goes
area: 19
runtime library: 1
at exit
a static object goes
the end
"""


@pytest.mark.parametrize("coverage", ["off", "on"])
def test_guest(boot: Boot, guest_image: GuestImage, coverage: str) -> None:
    """Coverage is switched on when FS already points to the thread-local variables."""
    guest = boot(guest_image("program"), config={"coverage": coverage})
    assert guest.wait_exit() == 0
    assert EXPECTED in guest.serial.replace("\r", "")


def test_on_linux(build_dir: Path, architecture: str) -> None:
    if architecture != "x86_64":
        pytest.skip("platform=linux is x86-64's")
    program = build_dir / "guests" / "program" / "program.linux"
    result = subprocess.run([program], capture_output=True, text=True, timeout=60)
    assert (result.stdout + result.stderr, result.returncode) == (EXPECTED, 0)
