"""Where a kernel's bytes come from: each symbol of the linked ELF belongs to the part that defined it.

Link-time optimisation leaves one object, so a symbol is looked up by name in the bitcode that went in. What
has no symbol (string constants, jump tables, alignment of data) or one that several parts define is "other".
Inlined code counts for the function that it was inlined into.

Where archives and other native objects were linked too, the link map says which section came from which: an
archive is a part, and so are groups of objects.
"""

import io
import json
import subprocess
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from elftools.elf.elffile import ELFFile

from bareflow.kernel.kernel_file import parse_header
from bareflow.kernel.link_map import InputSection
from bareflow.kernel.symbol_table import symbol_table

OTHER = "other"
NAMES = "function_names"
SECTION_KINDS = {
    ".text": "text",
    ".rodata": "rodata",
    ".data.rel.ro": "rodata",
    ".got": "rodata",
    ".init_array": "rodata",
    ".symbols": "rodata",
    ".data": "data",
    ".bss": "bss",
}
"""What is loaded, by output section."""


def defined_symbols(nm: str, objects: Sequence[Path]) -> set[str]:
    """The names that bitcode, ELF objects or archives of them define."""
    command = [nm, "--defined-only", "--format=just-symbols", *map(str, objects)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return {line for line in output.splitlines() if line and not line.endswith(":")}


def owners(parts: Mapping[str, set[str]]) -> dict[str, str]:
    """Symbol name to part, for the names that exactly one part defines."""
    found: dict[str, str] = {}
    for part, names in parts.items():
        for name in names:
            found[name] = OTHER if name in found else part
    return found


def _owner(name: str, owner: Mapping[str, str]) -> str:
    """LTO puts a number at the end of local functions of equal name: `read.12`."""
    base, _, number = name.rpartition(".")
    return owner.get(name) or (owner.get(base, OTHER) if number.isdigit() else OTHER)


def _attribute(
    section: tuple[int, int], symbols: Sequence[tuple[int, int, str]], owner: Mapping[str, str], *, code: bool
) -> dict[str, int]:
    """Bytes by part of a section (start, end). In code all bytes up to the next symbol are a symbol's, for
    assembly gives no sizes; elsewhere what lies between symbols has no name and belongs to nobody."""
    start, end = section
    inside = sorted(symbol for symbol in symbols if start <= symbol[0] < end)
    sizes: dict[str, int] = defaultdict(int)
    reached = start
    for index, (address, size, name) in enumerate(inside):
        following = inside[index + 1][0] if index + 1 < len(inside) else end
        stop = following if code else min(address + size, end)
        first = max(address, reached)
        if stop > first:
            sizes[_owner(name, owner)] += stop - first
            sizes[OTHER] += first - reached
            reached = stop
    sizes[OTHER] += end - reached
    return sizes


def sections_by_part(
    sections: Iterable[InputSection], objects: Mapping[str, str]
) -> list[tuple[int, int, str]]:
    """Address, size and part of the input sections that belong to one as a whole, by address: those of
    archives, and those of `objects` (file name in the map to part)."""
    found = []
    for section in sections:
        archive, _, _ = section.file.partition("(")
        part = archive if archive.endswith(".a") else objects.get(section.file)
        if part and section.size:
            found.append((section.address, section.size, part))
    return sorted(found)


def _outside(
    symbols: Iterable[tuple[int, int, str]], sections: Sequence[tuple[int, int, str]]
) -> Iterator[tuple[int, int, str]]:
    """The symbols that lie in none of the sections."""
    starts = [section[0] for section in sections]
    for symbol in symbols:
        index = bisect_right(starts, symbol[0]) - 1
        if index < 0 or symbol[0] >= sections[index][0] + sections[index][1]:
            yield symbol


def report(
    elf: bytes,
    kernel: bytes,
    parts: Mapping[str, set[str]],
    sections: Sequence[tuple[int, int, str]] = (),
) -> dict[str, object]:
    """The contents of size.json. `parts`: name to the symbols that this part's objects define; `sections`:
    what belongs to a part whatever symbols are in it (sections_by_part)."""
    file = ELFFile(io.BytesIO(elf))
    whole = {name: f"\0{name}" for _, _, name in sections}  # as a symbol: no real one is called that
    owner = owners(parts) | {symbol: name for name, symbol in whole.items()}
    named = [
        (symbol.value, symbol.size, symbol.name)
        for symbol in symbol_table(file)
        if symbol.size or symbol.name in owner
    ]
    symbols = [*_outside(named, sections), *((start, size, whole[name]) for start, size, name in sections)]
    sizes: dict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(SECTION_KINDS.values(), 0))
    for section in file.iter_sections():
        kind = SECTION_KINDS.get(section.name)
        if kind is None:
            continue
        start, end = section["sh_addr"], section["sh_addr"] + section["sh_size"]
        if section.name == ".symbols":
            sizes[NAMES][kind] += end - start
            continue
        for part, size in _attribute((start, end), symbols, owner, code=kind == "text").items():
            sizes[part][kind] += size
    header = parse_header(kernel)
    return {
        "kernel_file_bytes": len(kernel),
        "resident_bytes": header.memory_size,
        "parts": {part: sizes[part] for part in (*parts, *sorted(whole), NAMES, OTHER)},
    }


def as_json(contents: Mapping[str, object]) -> str:
    return json.dumps(contents, indent=2) + "\n"
