"""Checks a trimmed kernel. It does not use the ELF library that the trim does.

    python -m bareflow.trim.check ELF MAP REMOVED EMPTIED ARCHIVE...

In every member of an archive that was linked: the section of a dead function is a trap stub and refers to
nothing, and what was linked refers to its first byte only. A removed part of a function is INT3, refers to
nothing and has no symbol in it. In the kernel: every trap stub is where the map says, and the table has its
name. Every removed part is INT3. The kernel has the sections that it needs and no others.
"""

import io
import os
import struct
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from elftools.elf.elffile import ELFFile

from bareflow import program
from bareflow.errors import BareFlowError
from bareflow.kernel.archive import members
from bareflow.kernel.link_map import InputSection, file_name, read_map
from bareflow.kernel.object_sections import EXECUTABLE, LOADED, RELOCATIONS, SYMBOLS, sections_of
from bareflow.kernel.symbol_table import ABSOLUTE, ENTRY, Symbol, symbol_table
from bareflow.layouts import read_header
from bareflow.trim import parts_check
from bareflow.trim.removed import Emptied, Removed, read_emptied, read_removed
from bareflow.trim.removed_data import DATA_ID, DATA_START
from bareflow.trim.workers import fork_workers

_HEADER = read_header("kernel_lib/removed/trap_stub.h")
_STUB_SIZE = _HEADER["TRAP_STUB_SIZE"]
_STUB_ALIGNMENT = _HEADER["TRAP_STUB_ALIGNMENT"]
_UD2 = b"\x0f\x0b"
_RELOCATION = struct.Struct("<QIIq")  # r_offset, type and symbol of r_info, r_addend
# System V ABI AMD64, table 4.9.
_NONE = 0
_RELATIVE = {2: "PC32", 4: "PLT32", 9: "GOTPCREL", 41: "GOTPCRELX", 42: "REX_GOTPCRELX"}
_NEEDED = (".text", ".rodata", ".symbols", ".data", ".bss")
_UNWANTED = (".eh_frame", ".eh_frame_hdr", ".gcc_except_table")


class TrimCheckError(BareFlowError):
    """The trimmed kernel is not what it should be."""


class _Stubs:
    """What should be a trap stub, by object: section name to id. And which parts should be gone."""

    def __init__(
        self, removed: Iterable[Removed], emptied: Iterable[Emptied], linked: Iterable[InputSection]
    ) -> None:
        self.ids: dict[str, dict[str, int]] = defaultdict(dict)
        self.parts = parts_check.by_file(emptied)
        self.linked: dict[str, set[str]] = defaultdict(set)
        for entry in removed:
            self.ids[entry.file][entry.section] = entry.id
        for section in linked:
            self.linked[section.file].add(section.name)


def _check_object(data: bytes, file: str, all_stubs: _Stubs) -> Iterator[str]:
    """What is wrong with an object, a sentence each."""
    ids, linked = all_stubs.ids.get(file, {}), all_stubs.linked.get(file, set())
    sections = sections_of(data)
    stubs = {
        index for index, section in enumerate(sections) if section.name in ids and section.flags & EXECUTABLE
    }
    for index in stubs:
        name = sections[index].name
        if sections[index].data != _UD2 + ids[name].to_bytes(4, "little"):
            yield f"{file}: {name} is no stub with id {ids[name]}"
    table = next((section for section in sections if section.type == SYMBOLS), None)
    if not table:
        return
    symbols = list(ENTRY.iter_unpack(table.data))
    yield from parts_check.check_object(file, sections, symbols, all_stubs.parts.get(file, {}))
    for section in sections:
        source = section.info
        if section.type != RELOCATIONS or not sections[source].flags & LOADED:
            continue
        if source in stubs:
            if any(kind != _NONE for _, kind, _, _ in _RELOCATION.iter_unpack(section.data)):
                yield f"{file}: the stub {sections[source].name} refers to something"
        elif sections[source].name in linked:
            executable = sections[source].flags & EXECUTABLE
            for _, kind, symbol, addend in _RELOCATION.iter_unpack(section.data):
                _, _, target, value, _ = symbols[symbol]
                if target not in stubs or kind == _NONE:
                    continue
                offset = value + addend + (4 if kind in _RELATIVE and executable else 0)
                if offset:
                    yield f"{file}: {sections[source].name} refers into the stub {sections[target].name}"


_stubs: _Stubs
"""What worker processes find in memory. To send it with each archive took longer than the check."""


def _check_archive(path: str) -> list[str]:
    stubs = _stubs
    archive = Path(path).read_bytes()
    found: list[str] = []
    for member in members(archive):
        file = file_name(f"{path}({member.name})")
        if (file in stubs.ids or file in stubs.parts) and file in stubs.linked:
            found += _check_object(archive[member.offset : member.offset + member.size], file, stubs)
    return found


def _names(table: bytes) -> dict[int, str]:
    """The contents of a table of names (kernel_lib/removed/names.h)."""
    (count,) = struct.unpack_from("<I", table)
    ids = struct.unpack_from(f"<{count}I", table, 4)
    names = table[4 + 4 * count :].split(b"\0")[:count]
    return {number: name.decode() for number, name in zip(ids, names, strict=True)}


def _check_kernel(
    path: str, removed: list[Removed], linked: list[InputSection], parts: Mapping[str, parts_check.Parts]
) -> Iterator[str]:
    """What is wrong with the linked kernel."""
    elf = ELFFile(io.BytesIO(Path(path).read_bytes()))
    names = {section.name for section in elf.iter_sections()}
    for name in _NEEDED:
        if name not in names:
            yield f"{path} has no section {name}"
    for name in _UNWANTED:
        if name in names:
            yield f"{path} has a section {name}"
    text = elf.get_section_by_name(".text")
    if text is None:
        return
    by_name: dict[str, list[Symbol]] = defaultdict(list)
    for symbol in symbol_table(elf):
        by_name[symbol.name].append(symbol)
    if not by_name["removed_names"]:
        yield f"{path} has no table of removed names"
        return
    start_of_names = by_name["removed_names"][0]
    holder = elf.get_section(start_of_names.section)
    table = _names(holder.data()[start_of_names.value - holder["sh_addr"] :])
    code, start = text.data(), text["sh_addr"]
    yield from parts_check.check_kernel(code, start, linked, parts)
    stubs = {(entry.file, entry.section): entry for entry in removed}
    wanted = {entry.id: entry.symbol for entry in removed if entry.id >= DATA_ID}
    for name in wanted.values():
        if any(symbol.section != ABSOLUTE or symbol.value < DATA_START for symbol in by_name[name]):
            yield f"{path}: {name} has not been removed"
    for section in linked:
        entry = stubs.get((section.file, section.name))
        at = section.address - start
        if entry is None:
            if section.output == ".text" and section.size == _STUB_SIZE and code[at : at + 2] == _UD2:
                yield f"{path}: {section.file}:({section.name}) is a stub that nobody has removed"
            continue
        expected = _UD2 + entry.id.to_bytes(4, "little")
        if code[at : at + _STUB_SIZE] != expected or section.address % _STUB_ALIGNMENT:
            yield f"{path}: at {section.address:#x} is not the stub of {entry.symbol}"
        wanted[entry.id] = entry.symbol
    for number in wanted.keys() ^ table.keys():
        yield f"{path}: id {number} is in the table of names or among the stubs, not in both"
    for number in wanted.keys() & table.keys():
        if wanted[number] != table[number]:
            yield f"{path}: the table calls the stub of {wanted[number]} {table[number]}"


def check(elf: str, link_map: str, removed_file: str, emptied_file: str, archives: list[str]) -> None:
    """Raises TrimCheckError with all that is wrong."""
    global _stubs
    removed = read_removed(Path(removed_file).read_text())
    with open(link_map) as lines:
        linked = list(read_map(lines))
    _stubs = _Stubs(removed, read_emptied(Path(emptied_file).read_text()), linked)
    largest_first = sorted(archives, key=lambda path: -os.path.getsize(path))
    with fork_workers() as pool:
        results = pool.map(_check_archive, largest_first)
        wrong = sorted(line for found in results for line in found)
    wrong += _check_kernel(elf, removed, linked, _stubs.parts)
    if wrong:
        raise TrimCheckError("\n".join(["the trimmed kernel is wrong:", *wrong[:20]]))


def main(arguments: Sequence[str]) -> int:
    """Checks what the arguments name; returns the exit status."""
    elf, link_map, removed, emptied, *archives = arguments
    check(elf, link_map, removed, emptied, archives)
    return 0


if __name__ == "__main__":
    sys.exit(program.call("bareflow", main, sys.argv[1:]))
