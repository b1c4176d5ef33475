"""How many columns of a terminal the characters take, as a table for kernel_lib/io/character_width.c.

    python -m bareflow.libc.character_widths > kernel_lib/io/character_widths.inc

The table is kept in the repository, so that a kernel's bytes do not depend on the Python that builds it; a
unit test compares the two where Python has the same version of Unicode.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator

from bareflow.leb128 import leb128

SOFT_HYPHEN = 0xAD
# Vowels and final consonants of Hangul syllables that are written in parts: they join the first one's cell.
HANGUL_JOINING = (*range(0x1160, 0x1200), *range(0xD7B0, 0xD800))
FIRST_OTHER = 0x300
"""All printable characters before it take one column."""


def width_of(character: int) -> int | None:
    """0, 1 or 2 columns; None for what is not assigned, which counts as its neighbours do."""
    category = unicodedata.category(chr(character))
    if category == "Cn":
        return None
    if unicodedata.east_asian_width(chr(character)) in "WF" and category != "Mn":
        return 2
    if character in HANGUL_JOINING or (category in ("Mn", "Me", "Cf") and character != SOFT_HYPHEN):
        return 0
    return 1


def runs() -> Iterator[tuple[int, int, int]]:
    """First character, last one and width, 0 or 2, of all that are not one column wide."""
    first = last = width = -1
    for character in range(FIRST_OTHER, sys.maxunicode + 1):
        found = width_of(character)
        if found is None:
            continue
        if found == width:
            last = character
            continue
        if width in (0, 2):
            yield first, last, width
        first, last, width = character, character, found
    if width in (0, 2):
        yield first, last, width


def table() -> bytes:
    """For each run two numbers: the distance from the last run's end, doubled, plus 1 for wide ones; and how
    many characters follow its first."""
    out = bytearray()
    behind = FIRST_OTHER
    for first, last, width in runs():
        out += leb128((first - behind) * 2 + (width == 2)) + leb128(last - first)
        behind = last + 1
    return bytes(out)


def source() -> str:
    """The table as elements of a C array."""
    data = table()
    lines = [f"/* Unicode {unicodedata.unidata_version}, by site_scons/bareflow/libc/character_widths.py */"]
    for at in range(0, len(data), 16):
        lines.append(" ".join(f"0x{byte:02X}," for byte in data[at : at + 16]))
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(source(), end="")
