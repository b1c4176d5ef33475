"""The names of removed functions, as the trimmed kernel carries them: by the id in a function's stub.

Layout of the table (kernel_lib/removed/names.h reads it): u32 number of names, u32 bytes of the LZ4 block
that follows. The block holds, for each name in the order of the ids: the id less the one before as LEB128,
how many bytes the name has in common with the one before (at most 255), the other bytes, zero.
"""

import struct
from collections.abc import Iterable, Mapping

import lz4.block

from bareflow.kernel.link_map import InputSection
from bareflow.layouts import read_header
from bareflow.trim.removed import Removed
from bareflow.trim.removed_data import DATA_ID

LONGEST_NAME = read_header("kernel_lib/removed/trap_stub.h")["REMOVED_NAME_SIZE"] - 1
"""The kernel has room for so many bytes; functions with longer names are not removed."""
_LONGEST_COMMON = 255
_LZ4_BEST = 12


def _leb128(number: int) -> bytes:
    """An unsigned number, seven bits a byte, the lowest first (DWARF 5, 7.6)."""
    encoded = bytearray()
    while number >= 0x80:
        encoded.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*encoded, number])


def _common(first: bytes, second: bytes) -> int:
    length = 0
    for one, other in zip(first[:_LONGEST_COMMON], second, strict=False):
        if one != other:
            break
        length += 1
    return length


def encode(names: Mapping[int, str]) -> bytes:
    """The table of names by id."""
    plain = bytearray()
    last_id, last_name = 0, b""
    for number, text in sorted(names.items()):
        name = text.encode()
        common = _common(last_name, name)
        plain += _leb128(number - last_id) + bytes([common]) + name[common:] + b"\0"
        last_id, last_name = number, name
    block: bytes = lz4.block.compress(
        bytes(plain), mode="high_compression", compression=_LZ4_BEST, store_size=False
    )
    return struct.pack("<II", len(names), len(block)) + block


class LinkedStubs:
    """The stubs that a link of trimmed objects has taken, and the data that it lacks."""

    def __init__(self, sections: Iterable[InputSection], removed: Iterable[Removed]) -> None:
        """`sections`: of the link's map."""
        stubs = {(entry.file, entry.section): entry for entry in removed}
        self.names = {entry.id: entry.symbol for entry in stubs.values() if entry.id >= DATA_ID}
        """By id."""
        self.addresses: set[int] = set()
        for section in sections:
            entry = stubs.get((section.file, section.name))
            if entry is not None:
                self.names[entry.id] = entry.symbol
                self.addresses.add(section.address)


def table_source(names: Mapping[int, str]) -> str:
    """The table as GNU assembler source."""
    table = encode(names)
    lines = [f"    .byte {','.join(map(str, table[at : at + 32]))}" for at in range(0, len(table), 32)]
    head = [
        '.section .symbols.removed, "a", @progbits',
        ".balign 4",
        ".globl removed_names",
        "removed_names:",
    ]
    return "\n".join([*head, *lines]) + "\n"
