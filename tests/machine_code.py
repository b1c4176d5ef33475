"""Bytes that are taken for machine code."""

from __future__ import annotations

import hashlib


def noise(size: int) -> bytes:
    return hashlib.shake_128(b"machine code").digest(size)


def every_opcode() -> bytes:
    """Each opcode behind each kind of prefix, with every ModRM byte now and then, and noise behind it."""
    heads = [b"", b"\x66", b"\xf3", b"\x0f", b"\x66\x0f", b"\x0f\x38", b"\x0f\x3a", b"\x48", b"\x66\x48"]
    heads += [
        b"\xc5\xf8",
        b"\xc4\xe2\x71",
        b"\xc4\xe3\x71",
        b"\xc4\x41\x00",
        b"\x62\xf1\x7c\x48",
        b"\x62\xf3\x7d\x48",
    ]
    rest = noise(256 * len(heads) * 12)
    return b"".join(
        head + bytes([opcode]) + rest[12 * (256 * number + opcode) :][:12]
        for number, head in enumerate(heads)
        for opcode in range(256)
    )
