"""lld's link map (`-Map`): which input section, of which object, ended where.

Lines are `VMA LMA Size Align NAME`. One blank before the name: an output section; nine: an input section of
it, FILE:(SECTION); seventeen: a symbol in that.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

_LINE = re.compile(r" *([0-9a-f]+) +[0-9a-f]+ +([0-9a-f]+) +[0-9]+( +)(.*)")
_OUTPUT, _INPUT, _SYMBOL = 1, 9, 17
_ARCHIVE_FOLDERS = re.compile(r"^.*/(?=[^/]*\()")


@dataclass(frozen=True)
class MapSymbol:
    """A symbol in an input section. The map does not tell its type."""

    address: int
    size: int
    name: str


@dataclass
class InputSection:
    """A section of an object, as far as it is in the linked file."""

    address: int
    size: int
    output: str
    """The output section's name."""
    file: str
    """ARCHIVE(MEMBER) without folders, or an object's path as the linker was given it."""
    name: str
    symbols: list[MapSymbol] = field(default_factory=list)


def file_name(path: str) -> str:
    """What names an object wherever the archives lie: folders in front of ARCHIVE(MEMBER) are cut off."""
    return _ARCHIVE_FOLDERS.sub("", path) if path.endswith(")") else path


def read_map(lines: Iterable[str]) -> Iterator[InputSection]:
    """The input sections of a map (its lines, for example an open file) in the order of their addresses.

    What the linker made itself (its file is `<internal>`) is among them; parts of the linker script are not.
    """
    output = ""
    section: InputSection | None = None
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            continue
        address, size, indent, text = match.groups()
        if len(indent) == _SYMBOL and section is not None:
            section.symbols.append(MapSymbol(int(address, 16), int(size, 16), text))
            continue
        if section is not None:
            yield section
            section = None
        if len(indent) == _OUTPUT:
            output = text
        elif len(indent) == _INPUT and text.endswith(")"):
            file, _, name = text[:-1].partition(":(")
            section = InputSection(int(address, 16), int(size, 16), output, file_name(file), name)
    if section is not None:
        yield section
