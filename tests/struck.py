"""Images from which one more function is missing: as if the coverage had not seen it run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from bareflow.coverage.coverage_file import read_coverage
from bareflow.kernel.kernel_file import kernel_from_elf
from bareflow.kernel.symbols import symbol_table
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
            if symbol["st_info"]["type"] == "STT_FUNC"
            and symbol["st_size"] >= STUB_SIZE
            and symbol["st_value"] % STUB_ALIGNMENT == 0
            for offset in parsed.address_offsets(symbol["st_value"], STUB_SIZE)
        ]


def strike(build_dir: Path, image: DiskImage, library: str, pattern: str) -> tuple[str, str]:
    """Of the library's functions with such a name, the one that ran first becomes a stub.

    Returns its name, and that which its call is reported with: of another stub, whose id it gets.
    """
    elf = build_dir / "bareflow.elf"
    functions = {code.name: code for code in _functions(elf)}
    ids = {entry.id: entry for entry in read_removed((build_dir / "bareflow.trim.removed.jsonl").read_text())}
    stub = next(code.bytes for code in functions.values() if code.bytes.startswith(UD2))
    coverage = build_dir.parent / "full" / "coverage.txt"
    ran = [
        (function.rank, function.symbol)
        for function in read_coverage(coverage.read_text(), str(coverage))
        if function.rank and function.file.startswith(library) and re.search(pattern, function.symbol)
    ]
    name = min(entry for entry in ran if entry[1] in functions)[1]
    at = functions[name].offset
    data = bytearray(elf.read_bytes())
    data[at : at + STUB_SIZE] = stub
    image.delete(KERNEL)
    image.write(KERNEL, kernel_from_elf(bytes(data), compression=3))
    return name, ids[int.from_bytes(stub[len(UD2) :], "little")].symbol
