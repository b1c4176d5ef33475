"""Zstandard frames, block by block, by the text of RFC 8878, 3.1.1: what no compressor would write."""

from __future__ import annotations

from dataclasses import dataclass

MARGIN = 16


@dataclass(frozen=True)
class Block:
    """A block as stored, and what it becomes."""

    stored: bytes
    content: bytes


def raw(content: bytes) -> Block:
    return Block(_header(0, len(content)) + content, content)


def rle(byte: int, count: int) -> Block:
    return Block(_header(1, count) + bytes([byte]), bytes([byte]) * count)


def _header(kind: int, size: int) -> bytes:
    return (kind << 1 | size << 3).to_bytes(3, "little")


def frame(*blocks: Block) -> bytes:
    """A frame of these blocks; the last one is marked as such."""
    stored = b"".join(block.stored for block in blocks[:-1])
    last = blocks[-1].stored
    return start(blocks) + stored + bytes([last[0] | 1]) + last[1:]


def start(blocks: tuple[Block, ...]) -> bytes:
    """Magic number, and a header with the content's size in four bytes."""
    size = sum(len(block.content) for block in blocks)
    return b"\x28\xb5\x2f\xfd\xa0" + size.to_bytes(4, "little")


def room(before: int, *blocks: Block) -> int:
    """The memory that unpacking the frame of these blocks in place takes, a margin behind the file included.

    `before` bytes are in front of it in the file and in memory. Each block must end a margin in front of
    where it is stored.
    """
    behind = sum(len(block.stored) for block in blocks)
    unpacked, most = before, before + len(start(blocks)) + behind + 2 * MARGIN
    for block in blocks:
        unpacked += len(block.content)
        most = max(most, unpacked + behind + 2 * MARGIN)
        behind -= len(block.stored)
    return most
