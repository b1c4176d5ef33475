"""A trimmed copy that full has written of itself, taken apart: its table of removed functions, and a copy
from which one more is removed."""

from __future__ import annotations

import io
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from bareflow.kernel.kernel_file import compress, seal
from bareflow.kernel.symbol_table import symbol_table
from bareflow.kernel.symbols import functions, load_address
from bareflow.layouts import read_header
from elftools.elf.elffile import ELFFile
from unpacked_kernel import unpacked

LOAD_ADDRESS = 1 << 20
PAGE = 4096
INT3 = b"\xcc"
TABLE_HEAD = 20  # bytes in front of the bits of removed_functions


@dataclass(frozen=True)
class Program:
    """The full kernel's functions, by their places in its table."""

    names: list[str]
    addresses: list[int]
    table: int
    """Where in the image removed_functions is."""
    text: range
    """The places in the image of the functions' pages."""

    @classmethod
    def of(cls, elf: bytes) -> Program:
        found, start = functions(elf), load_address(elf)
        symbols = symbol_table(ELFFile(io.BytesIO(elf)))
        names = ("removed_functions", "__text_start", "__text_end")
        at = {symbol.name: symbol.value - start for symbol in symbols if symbol.name in names}
        text = range(at["__text_start"], at["__text_end"], PAGE)
        return cls([f.name for f in found], [f.address for f in found], at["removed_functions"], text)

    def bits(self, image: bytes) -> tuple[set[int], set[int]]:
        """The functions that may be removed, and those that are."""
        count, size = len(self.names), (len(self.names) + 7) // 8
        assert int.from_bytes(image[self.table :][:4], "little") == count
        bits = image[self.table + TABLE_HEAD :][: 2 * size]
        halves = bits[:size], bits[size:]
        may, are = ({i for i in range(count) if half[i // 8] >> i % 8 & 1} for half in halves)
        return may, are

    def in_page_of(self, place: int) -> range:
        """The functions of which a part is in the page where this one begins."""
        page = self.addresses[place] // PAGE * PAGE
        first = bisect_right(self.addresses, page) - 1
        return range(first, bisect_left(self.addresses, page + PAGE))

    def empty_bytes(self, image: bytes) -> int:
        """Bytes of the pages in which no function is left."""
        return PAGE * sum(image[at : at + PAGE] == INT3 * PAGE for at in self.text)


def without(kernel: bytes, program: Program, places: Iterable[int]) -> bytes:
    """A trimmed copy that also lacks these functions."""
    image = bytearray(unpacked(kernel))
    size = (len(program.names) + 7) // 8
    for place in places:
        start, end = (address - LOAD_ADDRESS for address in program.addresses[place : place + 2])
        image[start:end] = INT3 * (end - start)
        image[program.table + TABLE_HEAD + size + place // 8] |= 1 << place % 8
    layout = read_header("boot/kernel_header.h").structures["kernel_header"]
    plain = {**layout.unpack(bytes(image)), "flags": 0, "file_size": len(image)}
    return seal(compress(layout.pack(**plain) + bytes(image[layout.size :]), 1))
