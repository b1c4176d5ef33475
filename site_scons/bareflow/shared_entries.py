"""Tables whose entries may all lead to the same thing: what the others led to is then not linked.

For data there is no coverage, and a removed table could not name itself. But there are tables in LLVM of
which a choice is made when the program runs, and any choice is right: X86's scheduling models say how fast a
CPU's instructions are, and code that is scheduled for one CPU runs on all.
"""

import re
from collections.abc import Sequence

import lief

from .errors import BareFlowError
from .trimming import SharedEntries

_SPECIAL_INDEXES = 0xFF00


class SharedEntriesError(BareFlowError):
    """A table is not as the variant says."""


def share_entries(data: bytes, table: SharedEntries) -> bytes:
    """The object with its entries changed."""
    binary = lief.ELF.parse(data)
    if binary is None:
        raise SharedEntriesError(f"{table.file} is no ELF object")
    kept = [symbol for symbol in binary.symtab_symbols if symbol.name == table.kept]
    if len(kept) != 1:
        raise SharedEntriesError(f"{table.file} has {len(kept)} symbols {table.kept}, not one")
    sections = [str(section.name) for section in binary.sections]
    entries = re.compile(table.entries)
    changed = 0
    for relocation in binary.object_relocations:
        symbol, section = relocation.symbol, relocation.section
        if section is None or section.name != table.table or symbol is None or relocation.addend:
            continue
        if 0 < symbol.shndx < _SPECIAL_INDEXES and entries.fullmatch(sections[symbol.shndx]):
            relocation.symbol = kept[0]
            changed += 1
    if not changed:
        raise SharedEntriesError(f"{table.file} has no table {table.table} of {table.entries}")
    return bytes(binary.write_to_bytes())


def for_file(tables: Sequence[SharedEntries], file: str) -> list[SharedEntries]:
    """The tables that an object has."""
    return [table for table in tables if table.file == file]
