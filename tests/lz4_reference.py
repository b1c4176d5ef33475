"""LZ4 blocks, by the text of lz4_Block_format.md: an unpacker which is not ours, nor the library's."""

from __future__ import annotations


class DamagedStreamError(Exception):
    """The stream is no LZ4 block."""


def unpack(stream: bytes) -> bytes:
    """What a block becomes."""
    out, at = bytearray(), 0

    def byte() -> int:
        nonlocal at
        if at >= len(stream):
            raise DamagedStreamError("the stream ends inside a sequence")
        at += 1
        return stream[at - 1]

    def length(nibble: int) -> int:
        if nibble < 15:
            return nibble
        total = 15
        while True:
            more = byte()
            total += more
            if more != 255:
                return total

    while True:
        token = byte()
        literals = length(token >> 4)
        if at + literals > len(stream):
            raise DamagedStreamError("the stream ends inside literals")
        out += stream[at : at + literals]
        at += literals
        if at == len(stream):
            return bytes(out)
        offset = byte() | byte() << 8
        match = length(token & 15) + 4
        if not 0 < offset <= len(out):
            raise DamagedStreamError(f"offset {offset}, length {match} at byte {len(out)}")
        for _ in range(match):
            out.append(out[-offset])
