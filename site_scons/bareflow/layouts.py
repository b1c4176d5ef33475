"""Constants and structures of C headers, for NASM and Python.

A number or a layout that several languages share is declared in one C header. Such headers hold integer
`#define`s and structures of integers, bytes and pointers. This module reads them without a compiler, so tests
and tools need no build. Structures are laid out by the System V ABI for x86-64. tests/unit/test_layouts.py
compares all headers with what clang makes of them.
"""

import ast
import operator
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from bareflow.errors import BareFlowError

_TOP = Path(__file__).resolve().parents[2]
NASM_HEADERS = (
    "boot/boot_info.h",
    "boot/boot_slots.h",
    "boot/disk_layout.h",
    "boot/kernel_header.h",
    "boot/memory_map.h",
    "kernel_lib/cpu/control.h",
    "kernel_lib/cpu/descriptors.h",
    "kernel_lib/cpu/paging.h",
    "kernel_lib/cpu/pic.h",
    "kernel_lib/cpu/i386/interrupt_frame.h",
    "kernel_lib/cpu/real_mode.h",
    "kernel_lib/cpu/vectors.h",
    "kernel_lib/cpu/x86_64/interrupt_frame.h",
    "kernel_lib/io/uart.h",
    "kernel_lib/jit/engine/enter.h",
)
"""The headers that assembly includes: `%include "generated/boot/boot_info.inc"` for boot/boot_info.h."""

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)
_INCLUDE = re.compile(r'^#include "(.+/.+)"', re.MULTILINE)
"""Not those of an architecture's folder, whose names have no folder."""
_DEFINE = re.compile(r"^#define (\w+) +(\S.*)$", re.MULTILINE)
_STRUCTURE = re.compile(r"^struct (\w+) \{(.*?)^\};", re.MULTILINE | re.DOTALL)
_DECLARATION = re.compile(r"(?:alignas\((\w+)\) )?(?:const )?(struct \w+|unsigned char|\w+) (\*?)(\w.*)")
_DECLARATOR = re.compile(r"(\w+)((?:\[\w+\])*)")
_INTEGER = re.compile(r"\b(0[xX][0-9a-fA-F]+|[0-9]+)[uUlL]*\b")

_SIZES = {"char": 1, "unsigned char": 1, "uint8_t": 1, "uint16_t": 2, "uint32_t": 4, "uint64_t": 8}
_POINTER_SIZE = 8
_UNITS = {1: "B", 2: "H", 4: "I", 8: "Q"}
"""Integers by size, for Python's struct module."""
_RESERVE = {1: "resb", 2: "resw", 4: "resd", 8: "resq"}
"""The same for NASM."""
_OPERATORS: dict[type, Callable[..., int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.floordiv,
    ast.LShift: operator.lshift,
    ast.RShift: operator.rshift,
    ast.BitOr: operator.or_,
    ast.BitAnd: operator.and_,
}


class LayoutError(BareFlowError):
    """A header declares something in a way that this module does not understand."""


@dataclass(frozen=True)
class Field:
    """One field of a structure."""

    name: str
    offset: int
    """Bytes from the beginning of the structure."""
    unit: int
    """Bytes of an integer, or of one element of an array."""
    count: int
    """How many elements an array has; 1 for an integer."""
    is_bytes: bool
    """An array or a structure, which Python gets as bytes."""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.unit * self.count


@dataclass(frozen=True)
class Structure:
    """A structure's layout. Padding is between fields and behind the last."""

    name: str
    fields: tuple[Field, ...]
    size: int
    """Bytes, with padding."""
    alignment: int

    @property
    def format(self) -> str:
        """For Python's struct module: a number for an integer, bytes for an array."""
        text, at = "<", 0
        for field in self.fields:
            text += "x" * (field.offset - at)
            text += f"{field.size}s" if field.is_bytes else _UNITS[field.unit]
            at = field.offset + field.size
        return text + "x" * (self.size - at)

    def __getitem__(self, name: str) -> Field:
        return next(field for field in self.fields if field.name == name)

    def unpack(self, data: bytes) -> dict[str, Any]:
        """The fields of the structure at the beginning of the data. struct.error if that is too short."""
        names = (field.name for field in self.fields)
        return dict(zip(names, struct.unpack_from(self.format, data), strict=True))

    def pack(self, **values: Any) -> bytes:
        """The structure with a value for each field."""
        if values.keys() != {field.name for field in self.fields}:
            raise ValueError(f"struct {self.name} has other fields")
        return struct.pack(self.format, *(values[field.name] for field in self.fields))


@dataclass(frozen=True)
class Header:
    """What a C header declares. KeyError for a name that it does not declare."""

    path: str
    """From the top folder."""
    constants: Mapping[str, int]
    """In the order of the header."""
    structures: Mapping[str, Structure]

    def __getitem__(self, constant: str) -> int:
        return self.constants[constant]


@cache
def read_header(path: str) -> Header:
    """Reads a header, which is named from the top folder. LayoutError when a structure is not understood."""
    text = _text(path)
    known = constants_of(path)
    structures: dict[str, Structure] = {}
    for name, body in _STRUCTURE.findall(text):
        structures[name] = _structure(name, body, known, structures)
    return Header(path, {name: known[name] for name, _ in _DEFINE.findall(text) if name in known}, structures)


def header_files(path: str) -> list[str]:
    """The header and all that it includes, named from the top folder."""
    return [path, *(file for included in _INCLUDE.findall(_text(path)) for file in header_files(included))]


def nasm_source(header: Header) -> str:
    """The same constants and structures for NASM."""
    lines = [f"; Made of {header.path} by site_scons/bareflow/layouts.py."]
    lines += [f"{name} equ {value:#x}" for name, value in header.constants.items()]
    for structure in header.structures.values():
        lines.append(f"struc {structure.name}")
        at = 0
        for field in structure.fields:
            lines += _nasm_padding(field.offset - at)
            lines.append(f"    .{field.name}: {_RESERVE.get(field.unit, 'resb')} {_nasm_count(field)}")
            at = field.offset + field.size
        lines += [*_nasm_padding(structure.size - at), "endstruc"]
    return "\n".join(lines) + "\n"


def nasm_path(header: str) -> str:
    """The path of the generated include file, below the folder that NASM searches."""
    return f"generated/{header.removesuffix('.h')}.inc"


def write_nasm(folder: Path) -> None:
    """Writes the include files of NASM_HEADERS into a folder for NASM to search."""
    for path in NASM_HEADERS:
        target = folder / nasm_path(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(nasm_source(read_header(path)))


def _text(path: str) -> str:
    """The header without comments and continued lines."""
    return _COMMENT.sub("", (_TOP / path).read_text()).replace("\\\n", " ")


@cache
def constants_of(path: str) -> dict[str, int]:
    """The integer constants of a header and of those that it includes."""
    text = _text(path)
    known: dict[str, int] = {}
    for included in _INCLUDE.findall(text):
        known |= constants_of(included)
    for name, expression in _DEFINE.findall(text):
        value = _value(expression, known)
        if value is not None:
            known[name] = value
    return known


def _value(expression: str, known: Mapping[str, int]) -> int | None:
    """An integer constant expression of C; None for any other text."""

    def evaluate(node: ast.expr) -> int:
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return node.value
        if isinstance(node, ast.Name):
            return known[node.id]
        if isinstance(node, ast.BinOp):
            return _OPERATORS[type(node.op)](evaluate(node.left), evaluate(node.right))
        raise KeyError

    try:
        return evaluate(ast.parse(_INTEGER.sub(r"\1", expression.strip()), mode="eval").body)
    except (SyntaxError, KeyError):
        return None


def _structure(
    name: str, body: str, known: Mapping[str, int], structures: Mapping[str, Structure]
) -> Structure:
    """Lays a structure out, given the constants and structures that it may use."""
    fields: list[Field] = []
    end, alignment = 0, 1
    for text in filter(None, (" ".join(part.split()) for part in body.split(";"))):
        declaration = _DECLARATION.fullmatch(text)
        if not declaration:
            raise LayoutError(f"struct {name}: '{text}' is not understood")
        aligned, kind, pointer, declarators = declaration.groups()
        unit, unit_alignment = _size_and_alignment(name, kind, bool(pointer), structures)
        for declarator in declarators.split(", "):
            match = _DECLARATOR.fullmatch(declarator)
            if not match:
                raise LayoutError(f"struct {name}: '{declarator}' is not understood")
            count = 1
            for bound in re.findall(r"\w+", match[2]):
                count *= _known(bound, known)
            needed = max(unit_alignment, _known(aligned, known) if aligned else 1)
            offset = -(-end // needed) * needed
            fields.append(Field(match[1], offset, unit, count, bool(match[2]) or unit not in _UNITS))
            end, alignment = offset + unit * count, max(alignment, needed)
    return Structure(name, tuple(fields), -(-end // alignment) * alignment, alignment)


def _known(text: str, known: Mapping[str, int]) -> int:
    value = _value(text, known)
    if value is None:
        raise LayoutError(f"'{text}' is no constant that is known")
    return value


def _size_and_alignment(
    structure: str, kind: str, is_pointer: bool, structures: Mapping[str, Structure]
) -> tuple[int, int]:
    if is_pointer:
        return _POINTER_SIZE, _POINTER_SIZE
    if inner := structures.get(kind.removeprefix("struct ")):
        return inner.size, inner.alignment
    if kind not in _SIZES:
        raise LayoutError(f"struct {structure}: the size of '{kind}' is not known")
    return _SIZES[kind], _SIZES[kind]


def _nasm_padding(size: int) -> list[str]:
    return [f"    resb {size}"] if size else []


def _nasm_count(field: Field) -> int:
    return field.count if field.unit in _RESERVE else field.size
