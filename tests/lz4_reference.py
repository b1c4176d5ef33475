"""LZ4 blocks, by the text of lz4_Block_format.md: an unpacker which is not ours, nor the library's."""

from __future__ import annotations

import random
from dataclasses import dataclass


class DamagedStreamError(Exception):
    """The stream is no LZ4 block."""


@dataclass(frozen=True)
class Unpacked:
    """What a stream becomes, and how far writing got ahead of reading."""

    data: bytes
    lead: int
    """Most bytes, after a match, that had been written more than read; 0 if never."""


def unpack(stream: bytes, history: bytes = b"", limit: int = 1 << 24) -> Unpacked:
    """Unpacks a stream whose matches may reach back into `history`; gives up beyond `limit` bytes."""
    out, at, lead = bytearray(history), 0, 0

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
            return Unpacked(bytes(out[len(history) :]), lead)
        offset = byte() | byte() << 8
        match = length(token & 15) + 4
        if not 0 < offset <= len(out) or len(out) + match > limit:
            raise DamagedStreamError(f"offset {offset}, length {match} at byte {len(out)}")
        for _ in range(match):
            out.append(out[-offset])
        lead = max(lead, len(out) - len(history) - at)


def sequence(literals: bytes, offset: int = 0, match: int = 0) -> bytes:
    """One sequence: literals and then a match, or the last one without."""

    def extra(value: int) -> bytes:
        return b"" if value < 15 else b"\xff" * ((value - 15) // 255) + bytes([(value - 15) % 255])

    if not match:
        return bytes([min(len(literals), 15) << 4]) + extra(len(literals)) + literals
    token = min(len(literals), 15) << 4 | min(match - 4, 15)
    return bytes([token]) + extra(len(literals)) + literals + offset.to_bytes(2, "little") + extra(match - 4)


def random_stream(seed: int, size: int) -> bytes:
    """A valid stream for about `size` bytes with all kinds of lengths and offsets."""
    generator = random.Random(seed)
    lengths = [0, 1, 13, 14, 15, 16, 17, 18, 19, 20, 31, 32, 33, 269, 270, 271, 525, 2000]
    stream, written = bytearray(), 0
    while written < size:
        literals = generator.randbytes(generator.choice(lengths) or (written == 0))
        written += len(literals)
        offset = min(generator.choice([*range(1, 20), 32, 255, 256, 4096, 65535]), written)
        match = 4 + generator.choice(lengths)
        stream += sequence(literals, offset, match)
        written += match
    # The library refuses a block whose last literals are few.
    return bytes(stream + sequence(generator.randbytes(generator.choice(lengths[5:]))))
