"""The symbol table of an ELF file. pyelftools takes seconds for the 57,000 symbols of full's kernel, each an
object of many parts: its entries are read here at once."""

import struct
from collections.abc import Iterator
from typing import NamedTuple

from elftools.elf.constants import SHN_INDICES
from elftools.elf.elffile import ELFFile
from elftools.elf.enums import ENUM_ST_INFO_BIND, ENUM_ST_INFO_TYPE
from elftools.elf.sections import SymbolTableSection

from bareflow.errors import BareFlowError
from bareflow.kernel.object_sections import text_at

NO_TYPE, FUNCTION = (ENUM_ST_INFO_TYPE[f"STT_{kind}"] for kind in ("NOTYPE", "FUNC"))
LOCAL, GLOBAL, WEAK = (ENUM_ST_INFO_BIND[f"STB_{kind}"] for kind in ("LOCAL", "GLOBAL", "WEAK"))
UNDEFINED, ABSOLUTE = SHN_INDICES.SHN_UNDEF, SHN_INDICES.SHN_ABS

ENTRY = struct.Struct("<IBxHQQ")
"""An entry (System V ABI, chapter 4, "Symbol Table") of 64 bits: name, type and binding, section, value,
size."""
# Of 32 bits it has the same fields in another order.
_ENTRY_32 = struct.Struct("<IIIBxH")


class SymbolError(BareFlowError):
    """An ELF has no symbols, or the two links of a kernel disagree about where its functions are."""


class Symbol(NamedTuple):
    """An entry of the table."""

    name: str
    value: int
    size: int
    type: int
    binding: int
    section: int
    """The index of the section that it is in, or UNDEFINED, ABSOLUTE."""


def symbol_table(elf: ELFFile) -> Iterator[Symbol]:
    """All symbols of a linked ELF; raises SymbolError when it has been stripped of them."""
    table = elf.get_section_by_name(".symtab")
    if not isinstance(table, SymbolTableSection):
        raise SymbolError("the ELF has no symbol table")
    names, entries = table.stringtable.data(), table.data()
    for entry in (ENTRY if elf.elfclass == 64 else _ENTRY_32).iter_unpack(entries):
        if elf.elfclass == 64:
            start, info, section, value, size = entry
        else:
            start, value, size, info, section = entry
        yield Symbol(text_at(names, start), value, size, info & 15, info >> 4, section)
