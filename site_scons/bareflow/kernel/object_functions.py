"""The functions of an ELF object, in the order of its symbol table (ELF-64 object file format, 1.5)."""

import struct
from dataclasses import dataclass

from bareflow.errors import BareFlowError
from bareflow.kernel.object_sections import EXTENDED_INDEXES, SYMBOLS, sections_of, text_at
from bareflow.kernel.symbol_table import ENTRY, FUNCTION, LOCAL, UNDEFINED

_EXTENDED = struct.Struct("<I")
_IDENT = b"\x7fELF\x02\x01"
_FIRST_RESERVED, _ELSEWHERE = 0xFF00, 0xFFFF  # SHN_LORESERVE, SHN_XINDEX


class ObjectError(BareFlowError):
    """A file is no ELF object that this can read."""


@dataclass(frozen=True)
class ObjectFunction:
    """A function symbol of an object."""

    section: str
    symbol: str
    is_local: bool


def object_functions(data: bytes) -> list[ObjectFunction]:
    """The function symbols that an object defines; raises ObjectError. None in what is no ELF object."""
    if not data.startswith(_IDENT):
        return []
    try:
        return _functions(data)
    except (struct.error, ValueError, IndexError):
        raise ObjectError("a damaged ELF object") from None


def _functions(data: bytes) -> list[ObjectFunction]:
    sections = sections_of(data)
    found = []
    extended = {section.link: section.data for section in sections if section.type == EXTENDED_INDEXES}
    for index, section in enumerate(sections):
        if section.type != SYMBOLS:
            continue
        strings = sections[section.link].data
        for number, symbol in enumerate(ENTRY.iter_unpack(section.data)):
            name, info, place, _, _ = symbol
            if info & 0xF != FUNCTION or place == UNDEFINED:
                continue
            if place == _ELSEWHERE:
                (place,) = _EXTENDED.unpack_from(extended[index], 4 * number)
            elif place >= _FIRST_RESERVED:
                continue
            found.append(ObjectFunction(sections[place].name, text_at(strings, name), info >> 4 == LOCAL))
    return found
