"""What C and C++ programs expect of their surroundings, in a guest and as a Linux program."""

from __future__ import annotations

import subprocess
from pathlib import Path

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


def test_guest(boot: Boot, guest_image: GuestImage) -> None:
    guest = boot(guest_image("program"))
    assert guest.wait_exit() == 0
    assert EXPECTED in guest.serial.replace("\r", "")


def test_on_linux(build_dir: Path) -> None:
    program = build_dir / "guests" / "program" / "program.linux"
    result = subprocess.run([program], capture_output=True, text=True, timeout=60)
    assert (result.stdout + result.stderr, result.returncode) == (EXPECTED, 0)
