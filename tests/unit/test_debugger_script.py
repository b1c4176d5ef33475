"""What GDB does first on a guest that waits for it."""

from __future__ import annotations

import struct
from pathlib import Path

from bareflow.run.debugger import debugger_script

ENTRY = 0x100050


def test_symbols_come_when_the_kernel_is_in_memory(tmp_path: Path) -> None:
    elf = tmp_path / 'a "b" \\c.debug'
    identification = b"\x7fELF\2\1\1".ljust(16, b"\0")
    header = struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, ENTRY, 0, 0, 0, 64, 56, 0, 64, 0, 0)
    elf.write_bytes(identification + header)
    quoted = f'"{tmp_path}/a \\"b\\" \\\\c.debug"'
    assert debugger_script(elf, "localhost:4321").splitlines() == [
        f"exec-file {quoted}",
        "target remote localhost:4321",
        f"thbreak *{ENTRY:#x}",
        "continue",
        f"symbol-file {quoted}",
        "frame",
    ]
