"""A trimmed copy that full has written of itself, taken apart: its table of removed functions, and a copy
from which one more is removed."""

from __future__ import annotations

import io
from dataclasses import dataclass

from bareflow.kernel.kernel_file import compress, seal
from bareflow.kernel.symbols import functions, load_address, symbol_table
from bareflow.layouts import read_header
from elftools.elf.elffile import ELFFile
from unpacked_kernel import unpacked

LOAD_ADDRESS = 1 << 20
TABLE_HEAD = 20  # bytes in front of the bits of removed_functions


@dataclass(frozen=True)
class Program:
    """The full kernel's functions, by their places in its table."""

    names: list[str]
    addresses: list[int]
    table: int
    """Where in the image removed_functions is."""

    @classmethod
    def of(cls, elf: bytes) -> Program:
        found, start = functions(elf), load_address(elf)
        symbols = symbol_table(ELFFile(io.BytesIO(elf)))
        (table,) = (symbol["st_value"] for symbol in symbols if symbol.name == "removed_functions")
        return cls([f.name for f in found], [f.address for f in found], table - start)

    def bits(self, image: bytes) -> tuple[set[int], set[int]]:
        """The functions that may be removed, and those that are."""
        count, size = len(self.names), (len(self.names) + 7) // 8
        assert int.from_bytes(image[self.table :][:4], "little") == count
        bits = image[self.table + TABLE_HEAD :][: 2 * size]
        halves = bits[:size], bits[size:]
        may, are = ({i for i in range(count) if half[i // 8] >> i % 8 & 1} for half in halves)
        return may, are


def without(kernel: bytes, program: Program, place: int) -> bytes:
    """A trimmed copy that also lacks this function."""
    image = bytearray(unpacked(kernel))
    start, end = (address - LOAD_ADDRESS for address in program.addresses[place : place + 2])
    image[start:end] = b"\xcc" * (end - start)
    size = (len(program.names) + 7) // 8
    image[program.table + TABLE_HEAD + size + place // 8] |= 1 << place % 8
    layout = read_header("boot/kernel_header.h").structures["kernel_header"]
    plain = {**layout.unpack(bytes(image)), "flags": 0, "file_size": len(image)}
    return seal(compress(layout.pack(**plain) + bytes(image[layout.size :]), 1))
