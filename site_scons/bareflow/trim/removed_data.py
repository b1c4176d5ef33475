"""Removes variables of the libraries that nothing uses, although living code refers to them: text for people,
or tables for other processors. They are not linked. Their symbols get addresses where there is never memory.

Coverage knows nothing of data; so the variant declares the variables. A use of one is a page fault, and
kernel_lib/removed finds the variable's name by the address.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import lief

from bareflow.errors import BareFlowError
from bareflow.layouts import read_header
from bareflow.trim.removed import Removed
from bareflow.trim.trimming import RemovedData

_HEADER = read_header("kernel_lib/removed/trap_stub.h")
DATA_START = _HEADER["REMOVED_DATA_START"]
"""Where the first variable seems to be."""
DATA_DISTANCE = _HEADER["REMOVED_DATA_DISTANCE"]
"""From one variable to the next."""
DATA_ID = _HEADER["REMOVED_DATA_ID"]
"""The first variable's id."""

_ABSOLUTE = 0xFFF1
_NAME = re.compile(r"\.(?:data\.rel\.ro|rodata|data|bss)\.(.+)")
_Symbol = lief.ELF.Symbol


class RemovedDataError(BareFlowError):
    """A declared variable is not there."""


def symbol_of(data: RemovedData) -> str:
    """The variable that a section is."""
    match = _NAME.fullmatch(data.section)
    if not match:
        raise RemovedDataError(f"{data.section} is no section of one variable")
    return match[1]


def address_of(index: int) -> int:
    """Where the variable at this place of the variant's list seems to be."""
    return DATA_START + index * DATA_DISTANCE


def for_file(declared: Sequence[RemovedData], file: str, kept: Iterable[str] = ()) -> dict[int, RemovedData]:
    """The variables of the variant's list that an object has, by their places in the list, without `kept`."""
    return {
        index: data
        for index, data in enumerate(declared)
        if data.file == file and symbol_of(data) not in kept
    }


def remove_data(contents: bytes, file: str, found: Mapping[int, RemovedData]) -> tuple[bytes, list[Removed]]:
    """Returns the object without these variables, and what was removed."""
    binary = lief.ELF.parse(contents)
    if binary is None:
        raise RemovedDataError(f"{file} is no ELF object")
    sections = {str(section.name): (index, section) for index, section in enumerate(binary.sections)}
    removed = []
    for place, data in found.items():
        if data.section not in sections:
            raise RemovedDataError(f"{file} has no section {data.section}")
        index, section = sections[data.section]
        if section.size > DATA_DISTANCE:
            raise RemovedDataError(f"{file}: {data.section} is larger than {DATA_DISTANCE} bytes")
        for symbol in binary.symtab_symbols:
            if symbol.shndx == index:
                symbol.value += address_of(place)
                symbol.shndx = _ABSOLUTE
                if symbol.type == _Symbol.TYPE.SECTION:
                    symbol.type = _Symbol.TYPE.NOTYPE
        removed.append(Removed(DATA_ID + place, section.size, file, data.section, symbol_of(data)))
    return bytes(binary.write_to_bytes()), removed


def without_constructors(contents: bytes, file: str) -> bytes:
    """The object without its static constructors. What only they refer to is not linked."""
    binary = lief.ELF.parse(contents)
    section = binary.get_section(".init_array") if binary else None
    if binary is None or section is None:
        raise RemovedDataError(f"{file} has no static constructors")
    section.size = 0
    absolute = next(symbol for symbol in binary.symtab_symbols if symbol.shndx == _ABSOLUTE)
    for relocation in binary.object_relocations:
        if relocation.section is not None and relocation.section.name == ".init_array":
            relocation.type = lief.ELF.Relocation.TYPE.X86_64_NONE
            relocation.addend = 0
            relocation.symbol = absolute  # even so, it keeps what it refers to
    return bytes(binary.write_to_bytes())
