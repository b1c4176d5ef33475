"""What GDB does first on a guest that waits for it (`./bareflow run gdb=1`): a script for `gdb -x`."""

from __future__ import annotations

from pathlib import Path

from elftools.elf.elffile import ELFFile

DEFAULT_PORT = 1234


def port_of(gdb: int) -> int | None:
    """The port that gdb= means: 0 is none, 1 the default."""
    return {0: None, 1: DEFAULT_PORT}.get(gdb, gdb)


def debugger_script(symbols: Path, target: str) -> str:
    """The script. symbols: an ELF file with the kernel's symbols; target: where QEMU listens, as GDB's
    command `target remote` takes it.

    Symbols are loaded when the loader has put the kernel into memory. Before, GDB would read a list of the
    JIT's code that is not there, and the loader would overwrite breakpoints.
    """
    with symbols.open("rb") as file:
        entry = ELFFile(file).header["e_entry"]
    quoted = str(symbols).replace("\\", "\\\\").replace('"', '\\"')
    return "\n".join(
        [
            f'exec-file "{quoted}"',  # without one GDB complains
            f"target remote {target}",
            f"thbreak *{entry:#x}",
            "continue",
            f'symbol-file "{quoted}"',
            "frame",
            "",
        ]
    )
