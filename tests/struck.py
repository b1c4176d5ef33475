"""Images from which one more function is missing: as if the coverage had not seen it run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bareflow.kernel.kernel_file import kernel_from_elf
from bareflow.kernel.symbol_table import FUNCTION, symbol_table
from bareflow.trim.removed import read_removed
from disk_tools import DiskImage
from elftools.elf.elffile import ELFFile

KERNEL = "/boot/BAREFLOW.KRN"
UD2 = b"\x0f\x0b"
STUB_SIZE, STUB_ALIGNMENT = 6, 4


@dataclass(frozen=True)
class Code:
    """A function in the ELF file."""

    name: str
    offset: int
    bytes: bytes


def _functions(elf: Path) -> list[Code]:
    data = elf.read_bytes()
    with elf.open("rb") as file:
        parsed = ELFFile(file)
        return [
            Code(symbol.name, offset, data[offset : offset + STUB_SIZE])
            for symbol in symbol_table(parsed)
            if symbol.type == FUNCTION and symbol.size >= STUB_SIZE and symbol.value % STUB_ALIGNMENT == 0
            for offset in parsed.address_offsets(symbol.value, STUB_SIZE)
        ]


def strike(build_dir: Path, image: DiskImage, candidates: Sequence[str]) -> tuple[str, str]:
    """The first of these functions (parts of mangled names) that can become a stub becomes one.

    Returns its name, and that which its call is reported with: of another stub, whose id it gets.
    """
    elf = build_dir / "bareflow.elf"
    functions = {code.name: code for code in _functions(elf)}
    ids = {entry.id: entry for entry in read_removed((build_dir / "bareflow.removed.jsonl").read_text())}
    stub = next(code.bytes for code in functions.values() if code.bytes.startswith(UD2))
    name = next(
        name
        for candidate in candidates
        for name, code in functions.items()
        if candidate in name and not code.bytes.startswith(UD2)
    )
    at = functions[name].offset
    data = bytearray(elf.read_bytes())
    data[at : at + STUB_SIZE] = stub
    image.delete(KERNEL)
    image.write(KERNEL, kernel_from_elf(bytes(data), compression=3))
    return name, ids[int.from_bytes(stub[len(UD2) :], "little")].symbol
