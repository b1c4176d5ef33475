"""Tables of names that LLVM keeps as one text and the offsets in it: without the names that nobody asks for.

LLVM names the intrinsics of all processors that it knows, and looks a name up among those of one of them. A
name that is left out reads as the first one of the table, which stands for no name.
"""

import re
import struct
from collections.abc import Sequence

import lief

from .errors import BareFlowError
from .trimming import NameTable

_RELATIVE_TO_NEXT = -4
"""The addend of a reference to a section's first byte by an instruction that ends with the displacement."""


class NameTableError(BareFlowError):
    """A table is not as the variant says."""


def _section(binary: lief.ELF.Binary, name: str, file: str) -> lief.ELF.Section:
    section = binary.get_section(name)
    if section is None:
        raise NameTableError(f"{file} has no section {name}")
    return section


def shorten_names(data: bytes, table: NameTable) -> bytes:
    """The object with fewer names in its table."""
    binary = lief.ELF.parse(data)
    if binary is None:
        raise NameTableError(f"{table.file} is no ELF object")
    text = _section(binary, table.names, table.file)
    offsets = _section(binary, table.offsets, table.file)
    index = [str(section.name) for section in binary.sections].index(table.names)
    for relocation in binary.object_relocations:
        symbol = relocation.symbol
        if symbol and symbol.shndx == index and relocation.addend not in (0, _RELATIVE_TO_NEXT):
            raise NameTableError(f"{table.file}: something refers into {table.names}")
    old = bytes(text.content)
    places = [place for (place,) in struct.iter_unpack("<I", bytes(offsets.content))]
    unwanted = re.compile(table.unwanted)
    names, moved = bytearray(), {}
    for place in dict.fromkeys(places):
        name = old[place : old.index(b"\0", place)]
        if names and unwanted.fullmatch(name.decode()):
            moved[place] = 0
        else:
            moved[place] = len(names)
            names += name + b"\0"
    if len(names) == len(old):
        raise NameTableError(f"{table.file}: {table.names} has no names {table.unwanted}")
    text.content = list(names)
    text.size = len(names)
    offsets.content = list(struct.pack(f"<{len(places)}I", *(moved[place] for place in places)))
    return bytes(binary.write_to_bytes())


def for_file(tables: Sequence[NameTable], file: str) -> list[NameTable]:
    """The tables that an object has."""
    return [table for table in tables if table.file == file]
