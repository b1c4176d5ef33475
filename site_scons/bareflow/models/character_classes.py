"""Which characters are letters, numbers and punctuation, as a table for tinyllama/tokenizer_words.c.

    python -m bareflow.models.character_classes > tinyllama/character_classes.inc

The table is kept in the repository, so that a kernel's bytes do not depend on the Python that builds it; a
unit test compares the two where Python has the same version of Unicode.
"""

from __future__ import annotations

import sys
import unicodedata
from collections.abc import Iterator

from bareflow.leb128 import leb128

CLASSES = {"L": 1, "N": 2, "P": 3}
"""By the first letter of the general category; all others are 0."""


def class_of(character: int) -> int:
    return CLASSES.get(unicodedata.category(chr(character))[0], 0)


def runs() -> Iterator[tuple[int, int, int]]:
    """First character, last one and class, from 1 on, of all that have one."""
    first, found = 0, 0
    for character in range(sys.maxunicode + 2):
        now = class_of(character) if character <= sys.maxunicode else 0
        if now == found:
            continue
        if found:
            yield first, character - 1, found
        first, found = character, now


def table() -> bytes:
    """For each run two numbers: the distance from the last run's end, times 4, plus the class; and how many
    characters follow its first."""
    out = bytearray()
    behind = 0
    for first, last, found in runs():
        out += leb128((first - behind) * 4 + found) + leb128(last - first)
        behind = last + 1
    return bytes(out)


def source() -> str:
    """The table as elements of a C array, and how many runs it has."""
    data = table()
    lines = [
        f"/* Unicode {unicodedata.unidata_version}, by site_scons/bareflow/models/character_classes.py */",
        f"#define CLASS_RUNS {len(list(runs()))}u",
        "static const uint8_t class_table[] = {",
    ]
    for at in range(0, len(data), 16):
        lines.append(" ".join(f"0x{byte:02X}," for byte in data[at : at + 16]))
    return "\n".join([*lines, "};"]) + "\n"


if __name__ == "__main__":
    print(source(), end="")
