"""Replaces an object's dead functions by trap stubs.

The section of a dead function becomes six bytes: `ud2` and the function's id. Symbols and COMDAT groups stay,
so that whatever refers to the function (a vtable, a weak symbol, a copy of the group) reaches the stub. The
references of the function to other sections go.

lief edits the object. It can change but not remove parts of a relocatable object. So a relocation that has to
go becomes one of type NONE from the section to itself.

In a function that ran, the parts that did not run become INT3. Nothing moves.
"""

import zlib
from collections import defaultdict
from dataclasses import dataclass

import lief

from bareflow.coverage.translated import Stretches
from bareflow.errors import BareFlowError
from bareflow.layouts import read_header
from bareflow.trim.dead_functions import DeadFunctions, FunctionSymbol
from bareflow.trim.removed import Emptied

_HEADER = read_header("kernel_lib/removed/trap_stub.h")
STUB_SIZE = _HEADER["TRAP_STUB_SIZE"]
STUB_ALIGNMENT = _HEADER["TRAP_STUB_ALIGNMENT"]
CODE_ALIGNMENT = 2
"""Of the libraries' functions, instead of 16. Pointers to member functions use bit 0 of an address."""
UD2 = b"\x0f\x0b"
INT3 = b"\xcc"

LOADED, EXECUTABLE = 0x2, 0x4
_SPECIAL_INDEXES = 0xFF00
_CALL_OFFSET = 4
"""A field relative to the next instruction holds the target's address less 4 (System V ABI AMD64, 4.4.1)."""
_UNWIND_TABLE = ".eh_frame"
"""It is not linked, because nothing unwinds."""
_Section = lief.ELF.Section
_Symbol = lief.ELF.Symbol
_Type = lief.ELF.Relocation.TYPE
_RELATIVE = frozenset(
    int(kind)
    for kind in (
        _Type.X86_64_PC32,
        _Type.X86_64_PLT32,
        _Type.X86_64_GOTPCREL,
        _Type.X86_64_GOTPCRELX,
        _Type.X86_64_REX_GOTPCRELX,
    )
)


class TrimError(BareFlowError):
    """An object cannot be trimmed."""


@dataclass(frozen=True)
class Stub:
    """A function section that became a trap stub."""

    id: int
    size: int
    """Its bytes before that."""
    file: str
    section: str


def stub_code(number: int) -> bytes:
    """The six bytes of a trap stub."""
    return UD2 + number.to_bytes(4, "little")


class _Object:
    """A parsed object. Sections are named by their index."""

    def __init__(self, data: bytes, file: str) -> None:
        binary = lief.ELF.parse(data)
        if binary is None:
            raise TrimError(f"{file} is no ELF object")
        self.file = file
        self.binary = binary
        self.sections = list(binary.sections)
        self.flags = [int(section.flags) for section in self.sections]
        self.symbols: dict[int, list[lief.ELF.Symbol]] = defaultdict(list)
        for symbol in binary.symtab_symbols:
            if 0 < symbol.shndx < _SPECIAL_INDEXES:
                self.symbols[symbol.shndx].append(symbol)
        # A section is one Python object for as long as the list above holds it.
        index = {id(section): number for number, section in enumerate(self.sections)}
        self.relocations = [(index[id(entry.section)], entry) for entry in binary.object_relocations]

    def function(self, index: int) -> list[FunctionSymbol]:
        """The names of the function that a section is. Empty unless the section is exactly one function."""
        section = self.sections[index]
        if section.type != _Section.TYPE.PROGBITS or not section.size or not self.flags[index] & EXECUTABLE:
            return []
        found = []
        for symbol in self.symbols[index]:
            is_local = symbol.binding == _Symbol.BINDING.LOCAL
            if symbol.type == _Symbol.TYPE.FUNC:
                if symbol.value:
                    return []
                found.append(FunctionSymbol(str(symbol.name), is_local))
            elif not is_local:
                return []  # assembly
        return found

    def references(self) -> list[tuple[int, int, bool]]:
        """For each relocation of a loaded section that refers to another one: the indexes of both, and
        whether it certainly refers to the first byte."""
        found = []
        for source, entry in self.relocations:
            symbol = entry.symbol
            if symbol is None or not self.flags[source] & LOADED or not 0 < symbol.shndx < _SPECIAL_INDEXES:
                continue
            if symbol.shndx == source or self.sections[source].name == _UNWIND_TABLE:
                continue
            offset = symbol.value + entry.addend
            certain = True
            if int(entry.type) in _RELATIVE:
                offset += _CALL_OFFSET
                # A jump table's entry is relative to the table, and so might be a pointer to a function.
                certain = bool(self.flags[source] & EXECUTABLE)
            found.append((source, symbol.shndx, certain and offset == 0))
        return found

    def has_room(self, index: int) -> bool:
        """Whether a stub fits into the section and the padding that follows it in the file."""
        section = self.sections[index]
        end = section.file_offset + STUB_SIZE
        return section.size >= STUB_SIZE or not any(
            section.file_offset < other.file_offset < end for other in self.sections
        )

    def is_private(self, index: int) -> bool:
        """Whether no other object can refer to a section."""
        return all(symbol.binding == _Symbol.BINDING.LOCAL for symbol in self.symbols[index])


def _settle(file: _Object, dead: dict[int, int]) -> set[int]:
    """Removes those functions from `dead` that a living section enters elsewhere than at the start. GCC
    splits functions into parts that jump into each other.

    Returns the dead functions' tables: data that refers into them and that only they use, such as jump
    tables.
    """
    references = file.references()
    users: dict[int, set[int]] = defaultdict(set)
    for source, target, _ in references:
        users[target].add(source)

    def stays(index: int) -> bool:
        if file.flags[index] & EXECUTABLE:
            return index not in dead
        return (
            not file.is_private(index) or not users[index] or any(user not in dead for user in users[index])
        )

    inner = {(source, target) for source, target, at_start in references if not at_start}
    while entered := {target for source, target in inner if target in dead and stays(source)}:
        for target in entered:
            del dead[target]
    return {source for source, target in inner if target in dead and source not in dead}


def _replace(file: _Object, dead: dict[int, int], tables: set[int]) -> None:
    """Makes the edits. The tables become empty here, because the linker links all of a COMDAT group or
    nothing."""
    own_symbol = {}
    for index, number in dead.items():
        section = file.sections[index]
        section.content = list(stub_code(number))
        section.size = STUB_SIZE
        section.alignment = STUB_ALIGNMENT
        for symbol in file.symbols[index]:
            if symbol.type == _Symbol.TYPE.FUNC:
                symbol.size = STUB_SIZE
                own_symbol[index] = symbol
    for index in tables:
        file.sections[index].size = 0
    for source, entry in file.relocations:
        if source in dead or source in tables:
            entry.type = _Type.X86_64_NONE
            entry.address = 0
            entry.addend = 0
        if source in dead:
            entry.symbol = own_symbol[source]


def _own_function(file: _Object, index: int) -> lief.ELF.Symbol:
    return next(symbol for symbol in file.symbols[index] if symbol.type == _Symbol.TYPE.FUNC)


def _empty(file: _Object, parts: dict[int, Stretches]) -> None:
    """Fills the parts of functions that stay."""
    for index, stretches in parts.items():
        code = bytearray(file.sections[index].content)
        for begin, end in stretches:
            code[begin:end] = INT3 * (end - begin)
        file.sections[index].content = list(code)
    own_symbol = {index: _own_function(file, index) for index in parts}
    for source, entry in file.relocations:
        if any(begin <= entry.address < end for begin, end in parts.get(source, ())):
            entry.type = _Type.X86_64_NONE
            entry.addend = 0
            entry.symbol = own_symbol[source]


def _pack(file: _Object, dead: dict[int, int]) -> None:
    for index, section in enumerate(file.sections):
        if file.flags[index] & EXECUTABLE and index not in dead:
            section.alignment = min(section.alignment, CODE_ALIGNMENT)


def trim_object(data: bytes, file: str, functions: DeadFunctions) -> tuple[bytes, list[Stub], list[Emptied]]:
    """Returns the trimmed object, its trap stubs, and the functions that lost parts.

    `file` is the object's name in the coverage. A function that is smaller than a stub and refers to nothing
    stays.
    """
    parsed = _Object(data, file)
    relocated = {source for source, _ in parsed.relocations}
    crc = zlib.crc32(data)
    dead: dict[int, int] = {}
    parts: dict[int, Stretches] = {}
    for index, section in enumerate(parsed.sections):
        names = parsed.function(index)
        number = functions.stub_id(file, str(section.name), names)
        if number and (section.size >= STUB_SIZE or (index in relocated and parsed.has_room(index))):
            dead[index] = number
        elif found := functions.dead_parts(file, crc, str(section.name), names):
            parts[index] = found
    tables = _settle(parsed, dead)
    if not dead and not parts:
        return data, [], []
    stubs = [
        Stub(number, section.size, file, str(section.name))
        for index, number in dead.items()
        for section in [parsed.sections[index]]
    ]
    emptied = [
        Emptied(file, str(parsed.sections[index].name), stretches) for index, stretches in parts.items()
    ]
    _replace(parsed, dead, tables)
    _empty(parsed, parts)
    _pack(parsed, dead)
    return bytes(parsed.binary.write_to_bytes()), stubs, emptied
