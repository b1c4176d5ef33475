"""The functions of an ELF object, in the order of its symbol table (ELF-64 object file format, version 1.5).

The libraries have two thousand objects: this reads the two tables that it takes, and nothing else.
"""

import struct
from dataclasses import dataclass

from bareflow.errors import BareFlowError

_HEADER = struct.Struct("<16s24xQ10x3H")  # e_ident, e_shoff, e_shentsize, e_shnum, e_shstrndx
_SECTION = struct.Struct("<II16xQQII16x")  # sh_name, sh_type, sh_offset, sh_size, sh_link, sh_info
_SYMBOL = struct.Struct("<IBBHQQ")
_EXTENDED = struct.Struct("<I")
_IDENT = b"\x7fELF\x02\x01"
_SYMBOLS, _EXTENDED_INDEXES = 2, 18  # SHT_SYMTAB, SHT_SYMTAB_SHNDX
_FUNCTION = 2  # STT_FUNC
_LOCAL = 0  # STB_LOCAL
_UNDEFINED, _FIRST_RESERVED, _ELSEWHERE = 0, 0xFF00, 0xFFFF  # SHN_*


class ObjectError(BareFlowError):
    """A file is no ELF object that this can read."""


@dataclass(frozen=True)
class ObjectFunction:
    """A function symbol of an object."""

    section: str
    symbol: str
    is_local: bool


def _text(strings: bytes, offset: int) -> str:
    return strings[offset : strings.index(b"\0", offset)].decode()


def object_functions(data: bytes) -> list[ObjectFunction]:
    """The function symbols that an object defines; raises ObjectError. None in what is no ELF object."""
    if not data.startswith(_IDENT):
        return []
    try:
        return _functions(data)
    except (struct.error, ValueError, IndexError):
        raise ObjectError("a damaged ELF object") from None


def _functions(data: bytes) -> list[ObjectFunction]:
    _, table, entry_size, count, names_index = _HEADER.unpack_from(data)
    sections = [_SECTION.unpack_from(data, table + entry_size * index) for index in range(count)]

    def contents(index: int) -> bytes:
        _, _, offset, size, _, _ = sections[index]
        return data[offset : offset + size]

    names = contents(names_index)
    found = []
    extended: dict[int, bytes] = {
        section[4]: contents(index)
        for index, section in enumerate(sections)
        if section[1] == _EXTENDED_INDEXES
    }
    for index, section in enumerate(sections):
        if section[1] != _SYMBOLS:
            continue
        strings = contents(section[4])
        for number, symbol in enumerate(_SYMBOL.iter_unpack(contents(index))):
            name, info, _, place, _, _ = symbol
            if info & 0xF != _FUNCTION or place == _UNDEFINED:
                continue
            if place == _ELSEWHERE:
                (place,) = _EXTENDED.unpack_from(extended[index], 4 * number)
            elif place >= _FIRST_RESERVED:
                continue
            found.append(
                ObjectFunction(_text(names, sections[place][0]), _text(strings, name), info >> 4 == _LOCAL)
            )
    return found
