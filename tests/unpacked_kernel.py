"""Unpacks kernel files, as the loader does (boot/unpack, boot/streams)."""

from __future__ import annotations

import re
import struct

import zstandard
from bareflow.kernel.kernel_file import HEADER_SIZE, I386, STREAMS, ZSTD, parse_header
from kernel_streams import merged, stored_streams

_BRANCH_OPCODES = re.compile(b"[\xe8\xe9]")
_BRANCH_SIZE = 5
_DISTANCE = struct.Struct("<i")


def unpacked(kernel: bytes) -> bytes:
    """The image in memory of a kernel file, which may be compressed."""
    flags, packed = parse_header(kernel).flags, kernel[HEADER_SIZE:]
    if flags & STREAMS:
        return kernel[:HEADER_SIZE] + merged(stored_streams(packed), is_64_bit=not flags & I386)
    if not flags & ZSTD:
        return kernel
    packed = zstandard.ZstdDecompressor().decompress(packed)
    return kernel[:HEADER_SIZE] + with_distances(packed)


def with_distances(packed: bytes) -> bytes:
    """The code of which branches_to_addresses made this: boot/unpack/branches.h."""
    code, size = bytearray(packed), len(packed)
    at = 0
    while match := _BRANCH_OPCODES.search(code, at, max(at, size - _BRANCH_SIZE + 1)):
        at = match.end()
        (value,) = _DISTANCE.unpack_from(code, at)
        position = at + _BRANCH_SIZE - 1
        if 0 <= value < size:
            _DISTANCE.pack_into(code, at, value - position)
        elif -position <= value < 0:
            _DISTANCE.pack_into(code, at, value + size)
    return bytes(code)
