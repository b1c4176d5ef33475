"""Checks the functions that have lost parts, in their objects and in the linked kernel."""

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence

from bareflow.coverage.translated import SHORTEST, Stretches
from bareflow.kernel.link_map import InputSection
from bareflow.kernel.object_sections import RELOCATIONS, Section
from bareflow.trim.removed import Emptied

_RELOCATION = struct.Struct("<QIIq")  # r_offset, type and symbol of r_info, r_addend
_INT3 = b"\xcc"
_NONE = 0
_TYPE = 0xF
_SECTION = 3
"""System V ABI AMD64, 4.4; ELF gABI, "Symbol Table": STT_SECTION."""
Parts = Mapping[str, Stretches]
"""By section."""


def by_file(emptied: Iterable[Emptied]) -> dict[str, dict[str, Stretches]]:
    """What should be INT3, by object and section."""
    found: dict[str, dict[str, Stretches]] = {}
    for entry in emptied:
        found.setdefault(entry.file, {})[entry.section] = entry.parts
    return found


def _is_inside(offset: int, stretches: Stretches) -> bool:
    return any(begin <= offset < end for begin, end in stretches)


def _filled(code: bytes, stretches: Stretches) -> bool:
    return all(
        end - begin >= SHORTEST and code[begin:end] == _INT3 * (end - begin) for begin, end in stretches
    )


def check_object(
    file: str, sections: Sequence[Section], symbols: Iterable[tuple[int, ...]], parts: Parts
) -> Iterator[str]:
    """What is wrong with an object, a sentence each. `symbols`: the fields of its symbol table's entries."""
    emptied = {index: parts[entry.name] for index, entry in enumerate(sections) if entry.name in parts}
    for index, stretches in emptied.items():
        if not _filled(sections[index].data, stretches):
            yield f"{file}: a removed part of {sections[index].name} is not INT3"
    for _, info, index, value, _ in symbols:
        if index in emptied and info & _TYPE != _SECTION and _is_inside(value, emptied[index]):
            yield f"{file}: a symbol is in a removed part of {sections[index].name}"
    for section in sections:
        if section.type != RELOCATIONS:
            continue
        stretches = emptied.get(section.info, ())
        if stretches and any(
            kind != _NONE and _is_inside(offset, stretches)
            for offset, kind, _, _ in _RELOCATION.iter_unpack(section.data)
        ):
            yield f"{file}: a removed part of {sections[section.info].name} refers to something"


def check_kernel(
    code: bytes, start: int, linked: Iterable[InputSection], parts: Mapping[str, Parts]
) -> Iterator[str]:
    """What is wrong with a kernel's code, which begins at address `start`."""
    for section in linked:
        stretches = parts.get(section.file, {}).get(section.name, ())
        at = section.address - start
        if stretches and not _filled(code[at : at + section.size], stretches):
            yield f"{section.file}:({section.name}) at {section.address:#x}: a removed part is not INT3"
