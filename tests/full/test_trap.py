"""A call of a function that LLVM's archives want of a C library and the image does not have."""

from __future__ import annotations

import struct
from pathlib import Path

from bareflow.kernel.kernel_file import kernel_from_elf
from bareflow.kernel.symbol_table import symbol_table
from elftools.elf.elffile import ELFFile
from fixture_types import Boot, Disk

CALLER = "LLVMInitializeX86TargetInfo"
"""A function of LLVM, which the engine calls once, at its start."""
STOPPED = 1
CALL_SIZE = 5


def call(elf: Path, caller: str, function: str) -> tuple[bytes, int]:
    """The ELF file with a call of `function` as the first thing that `caller` does, and where that returns
    to."""
    with elf.open("rb") as file:
        parsed = ELFFile(file)
        symbols = {symbol.name: symbol.value for symbol in symbol_table(parsed)}
        address = symbols[caller]
        offset = next(parsed.address_offsets(address, CALL_SIZE))
    code = b"\xe8" + struct.pack("<i", symbols[function] - (address + CALL_SIZE))  # CALL rel32
    data = elf.read_bytes()
    return data[:offset] + code + data[offset + CALL_SIZE :], address + CALL_SIZE


def trap_in(elf: Path) -> str:
    """The name of a trap: a label that nobody has written, for it stands for what is missing."""
    with elf.open("rb") as file:
        names = {symbol.name for symbol in symbol_table(ELFFile(file))}
    missing = {"__isoc99_sscanf", "execve", "getcwd", "iconv_open", "mkdir", "sigaction"}
    assert names & missing, "the image has none of these"
    return min(names & missing)


def test_call_is_named(boot: Boot, disk: Disk, image: Path, build_dir: Path) -> None:
    elf = build_dir / "bareflow.elf"
    name = trap_in(elf)
    changed, return_address = call(elf, CALLER, name)
    copy = disk(image)
    copy.delete("/boot/BAREFLOW.KRN")
    copy.write("/boot/BAREFLOW.KRN", kernel_from_elf(changed, compression=3))
    guest = boot(copy, config={"mode": "generate"}, memory=256)
    assert guest.wait_exit() == STOPPED
    assert guest.event("trap") == {"event": "trap", "name": name, "address": hex(return_address)}
    backtrace = (
        rf"^panic: trap: {name} was called\nbacktrace:\n  trap\+0x.*\n  {name}\+0x.*\n  {CALLER}\+0x5\n"
    )
    guest.expect(backtrace)
