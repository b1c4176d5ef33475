"""GDB on a guest of native code: symbols when the kernel is entered, and with debug=1 source lines.

The guest `debugged` is exceptions.c with debug=1.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from fixture_types import Boot, GuestImage
from gdb_tools import free_port, gdb
from project_files import ROOT

SOURCE = "tests/boot/guests/exceptions.c"
STATEMENT = 'console_printf("%d\\n", *(volatile int *)OPAQUE((uintptr_t)16));'
"""What the function null_read does."""


def line_of(text: str) -> int:
    """The number of the only line in SOURCE that has the text."""
    lines = (ROOT / SOURCE).read_text().splitlines()
    [found] = [number for number, line in enumerate(lines, 1) if text in line]
    return found


def test_stops_in_a_function_with_its_source(boot: Boot, guest_image: GuestImage, tmp_path: Path) -> None:
    image, port = guest_image("debugged"), free_port()
    guest = boot(image, config={"fault": "null_read"}, gdb=port)
    commands = ("break null_read", "continue", "backtrace", "detach")
    output = gdb(tmp_path, port, image.with_suffix(".debug"), *commands)
    entered, _, stopped = output.partition("Breakpoint 2, ")
    assert re.search(r"^#0 .* in kernel_entry \(\)$", entered, re.MULTILINE), output
    where = rf"null_read \(\) at {SOURCE}:{line_of(STATEMENT)}"
    assert re.match(where, stopped), output
    assert STATEMENT in stopped
    frames = re.findall(r"^#(\d) .*?(\w+) \(\)(?: at (\S+):\d+)?$", stopped, re.MULTILINE)
    expected = [("0", "null_read", SOURCE), ("1", "app_main", SOURCE), ("2", "kernel_start", "")]
    assert frames == [*expected, ("3", "kernel_entry", "")], output
    assert guest.wait_exit() == 1  # detached, it goes on
    assert "\nexception: #PF page fault" in guest.serial


def test_debug_changes_no_byte_of_the_kernel(guest_image: GuestImage, architecture: str) -> None:
    """But that the numbers may be others that the linker gives to local functions of equal names."""
    if architecture == "i386":
        pytest.skip("the compiler lays out some calls of 32-bit code otherwise")
    kernels = []
    for name in ("exceptions", "debugged"):
        with guest_image(name).with_suffix(".elf").open("rb") as file:
            loaded = [s for s in ELFFile(file).iter_sections() if s["sh_addr"] and s.name != ".symbols"]
            kernels.append({s.name: (s["sh_addr"], s["sh_size"], s.data()) for s in loaded})
    assert ".text" in kernels[0] and kernels[0] == kernels[1]
