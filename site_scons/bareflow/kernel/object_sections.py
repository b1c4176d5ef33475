"""The sections of an ELF object (ELF-64 object file format, version 1.5). LLVM's two thousand objects have
400,000, for which pyelftools takes ten times as long."""

import struct
from typing import NamedTuple

_HEADER = struct.Struct("<40xQ10x3H")  # e_shoff, e_shentsize, e_shnum, e_shstrndx
_SECTION = struct.Struct("<IIQ8xQQII16x")  # sh_name, _type, _flags, _offset, _size, _link, _info
SYMBOLS, RELOCATIONS, NO_BITS, EXTENDED_INDEXES = 2, 4, 8, 18
"""Types: SHT_SYMTAB, SHT_RELA, SHT_NOBITS, SHT_SYMTAB_SHNDX."""
LOADED, EXECUTABLE = 0x2, 0x4
"""Flags: SHF_ALLOC, SHF_EXECINSTR."""


class Section(NamedTuple):
    """A section, its data, and the numbers of others in sh_link and sh_info."""

    name: str
    type: int
    flags: int
    link: int
    info: int
    data: bytes


def text_at(strings: bytes, offset: int) -> str:
    """A string of a table of strings."""
    return strings[offset : strings.index(b"\0", offset)].decode()


def sections_of(data: bytes) -> list[Section]:
    """An object's sections by their numbers. For a damaged one struct.error, ValueError or IndexError."""
    table, entry_size, count, names_index = _HEADER.unpack_from(data)
    headers = [_SECTION.unpack_from(data, table + entry_size * index) for index in range(count)]
    _, _, _, start, size, _, _ = headers[names_index]
    names = data[start : start + size]
    return [
        Section(text_at(names, name), kind, flags, link, info, data[at : at + size])
        for name, kind, flags, at, stored, link, info in headers
        for size in (0 if kind == NO_BITS else stored,)
    ]
