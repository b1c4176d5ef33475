"""GGUF's types of weights: blocks of random bits, and what they mean, from the format's description.

Nothing in it is shared with the program under test.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable

TYPES = {
    "F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q5_0": 6, "Q5_1": 7, "Q8_0": 8, "Q2_K": 10, "Q3_K": 11,
    "Q4_K": 12, "Q5_K": 13, "Q6_K": 14, "IQ4_NL": 20, "IQ4_XS": 23, "BF16": 30,
}  # fmt: skip
"""The number of each in a file."""

BLOCKS = {
    "F32": (1, 4), "F16": (1, 2), "BF16": (1, 2), "Q4_0": (32, 18), "Q4_1": (32, 20), "Q5_0": (32, 22),
    "Q5_1": (32, 24), "Q8_0": (32, 34), "IQ4_NL": (32, 18), "Q2_K": (256, 84), "Q3_K": (256, 110),
    "Q4_K": (256, 144), "Q5_K": (256, 176), "Q6_K": (256, 210), "IQ4_XS": (256, 136),
}  # fmt: skip
"""Columns and bytes of a block."""

SCALES = {
    "Q4_0": (0,), "Q4_1": (0, 2), "Q5_0": (0,), "Q5_1": (0, 2), "Q8_0": (0,), "IQ4_NL": (0,),
    "Q2_K": (80, 82), "Q3_K": (108,), "Q4_K": (0, 2), "Q5_K": (0, 2), "Q6_K": (208,), "IQ4_XS": (0,),
}  # fmt: skip
"""Where a block has binary16 numbers: the scale, and the minimum's."""

IQ4_VALUES = (-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113)

Floats = list[float]


def _half(block: bytes, at: int = 0) -> float:
    (value,) = struct.unpack_from("<e", block, at)
    number: float = value
    return number


def _halves(nibbles: bytes) -> list[int]:
    """The low halves of all bytes, then the high ones."""
    return [byte & 15 for byte in nibbles] + [byte >> 4 for byte in nibbles]


def _q4_0(block: bytes) -> Floats:
    return [_half(block) * (q - 8) for q in _halves(block[2:])]


def _q4_1(block: bytes) -> Floats:
    return [_half(block) * q + _half(block, 2) for q in _halves(block[4:])]


def _fifth(block: bytes, at: int) -> list[int]:
    bits = int.from_bytes(block[at : at + 4], "little")
    return [low | (bits >> j & 1) << 4 for j, low in enumerate(_halves(block[at + 4 :]))]


def _q5_0(block: bytes) -> Floats:
    return [_half(block) * (q - 16) for q in _fifth(block, 2)]


def _q5_1(block: bytes) -> Floats:
    return [_half(block) * q + _half(block, 2) for q in _fifth(block, 4)]


def _q8_0(block: bytes) -> Floats:
    return [_half(block) * q for q in struct.unpack_from("<32b", block, 2)]


def _iq4_nl(block: bytes) -> Floats:
    return [_half(block) * IQ4_VALUES[q] for q in _halves(block[2:])]


def _iq4_xs(block: bytes) -> Floats:
    high = int.from_bytes(block[2:4], "little")
    out: Floats = []
    for s in range(8):
        scale = (block[4 + s // 2] >> 4 * (s % 2) & 15 | (high >> 2 * s & 3) << 4) - 32
        out += [_half(block) * scale * IQ4_VALUES[q] for q in _halves(block[8 + 16 * s : 24 + 16 * s])]
    return out


def _two_bits(quants: bytes) -> list[int]:
    """Each 32 bytes have 128 columns: their lowest two bits the first 32, and so on."""
    return [
        quants[half * 32 + j] >> shift & 3 for half in range(2) for shift in (0, 2, 4, 6) for j in range(32)
    ]


def _q2_k(block: bytes) -> Floats:
    d, dmin = _half(block, 80), _half(block, 82)
    return [
        d * (block[i // 16] & 15) * q - dmin * (block[i // 16] >> 4)
        for i, q in enumerate(_two_bits(block[16:80]))
    ]


def _q3_k(block: bytes) -> Floats:
    scales, d = block[96:108], _half(block, 108)
    out = []
    for i, q in enumerate(_two_bits(block[32:96])):
        s = i // 16
        low = scales[s] & 15 if s < 8 else scales[s - 8] >> 4
        scale = (low | (scales[8 + s % 4] >> 2 * (s // 4) & 3) << 4) - 32
        high = block[i % 32] >> i // 32 & 1
        out.append(d * scale * (q - (0 if high else 4)))
    return out


def _six_bits(scales: bytes, s: int) -> tuple[int, int]:
    if s < 4:
        return scales[s] & 63, scales[s + 4] & 63
    return scales[s + 4] & 15 | scales[s - 4] >> 6 << 4, scales[s + 4] >> 4 | scales[s] >> 6 << 4


def _q4_or_5_k(block: bytes, quants: int, fifth: int | None) -> Floats:
    d, dmin = _half(block), _half(block, 2)
    out = []
    for s in range(8):
        scale, minimum = _six_bits(block[4:16], s)
        for j in range(32):
            q = block[quants + s // 2 * 32 + j] >> 4 * (s % 2) & 15
            if fifth is not None:
                q += 16 * (block[fifth + j] >> s & 1)
            out.append(d * scale * q - dmin * minimum)
    return out


def _q6_k(block: bytes) -> Floats:
    d, scales = _half(block, 208), struct.unpack_from("<16b", block, 192)
    out = []
    for i in range(256):
        half, quarter, j = i // 128, i % 128 // 32, i % 32
        low = block[half * 64 + quarter % 2 * 32 + j] >> 4 * (quarter // 2) & 15
        high = block[128 + half * 32 + j] >> 2 * quarter & 3
        out.append(d * scales[i // 16] * ((low | high << 4) - 32))
    return out


def _bf16(block: bytes) -> Floats:
    (value,) = struct.unpack("<f", b"\0\0" + block)
    return [value]


_MEANINGS: dict[str, Callable[[bytes], Floats]] = {
    "F32": lambda block: list(struct.unpack("<f", block)),
    "F16": lambda block: [_half(block)],
    "BF16": _bf16,
    "Q4_0": _q4_0, "Q4_1": _q4_1, "Q5_0": _q5_0, "Q5_1": _q5_1, "Q8_0": _q8_0, "IQ4_NL": _iq4_nl,
    "Q2_K": _q2_k, "Q3_K": _q3_k, "IQ4_XS": _iq4_xs, "Q6_K": _q6_k,
    "Q4_K": lambda block: _q4_or_5_k(block, 16, None),
    "Q5_K": lambda block: _q4_or_5_k(block, 48, 16),
}  # fmt: skip


def floats_of(type_name: str, data: bytes) -> Floats:
    """The weights in these blocks."""
    size = BLOCKS[type_name][1]
    meaning = _MEANINGS[type_name]
    return [weight for at in range(0, len(data), size) for weight in meaning(data[at : at + size])]


def random_blocks(type_name: str, count: int, chance: random.Random, scale: float) -> bytes:
    """Blocks of count weights, whose standard deviation is about the scale."""
    columns, size = BLOCKS[type_name]
    if type_name in ("F32", "F16", "BF16"):
        weights = [chance.uniform(-1.7, 1.7) * scale for _ in range(count)]
        if type_name == "BF16":
            return b"".join(struct.pack("<f", weight)[2:] for weight in weights)
        return struct.pack(f"<{count}{'f' if type_name == 'F32' else 'e'}", *weights)
    data = bytearray(chance.randbytes(count // columns * size))
    for at in range(0, len(data), size):
        for place in SCALES[type_name]:
            struct.pack_into("<e", data, at + place, 1.0)
    probe = floats_of(type_name, bytes(data[: min(len(data), 16 * size)]))
    mean = sum(probe) / len(probe)
    deviation = (sum((weight - mean) ** 2 for weight in probe) / len(probe)) ** 0.5
    for at in range(0, len(data), size):
        for i, place in enumerate(SCALES[type_name]):
            value = scale / deviation * chance.uniform(0.7, 1.3)
            if i == 1 and type_name in ("Q4_1", "Q5_1"):
                value *= -8  # a minimum that makes weights of both signs
            struct.pack_into("<e", data, at + place, value)
    return bytes(data)
