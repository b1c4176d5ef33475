"""Inference of an int8 llama2.c model (checkpoint version 2) in plain Python, to compare the guest with.

Written from llama2.c's file formats and arithmetic, with Python's 64-bit floats and without a library: some
15 tokens a second for the default model. Nothing in it is shared with the program under test.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul
from pathlib import Path

MAGIC = 0x616B3432
HEADER_BYTES = 256
BOS = 1
FIRST_BYTE, FIRST_TEXT = 3, 259
ROPE_BASE = 10000.0
NORM_EPSILON = 1e-5

# Nearer than this to the middle between two integers, 32-bit floats may round to the other one.
DOUBT = 3e-5
# How much logits may differ, which range over 25: between 32-bit floats with our order of summation and
# 64-bit ones; and once an activation may have been rounded to another integer, which moves all later ones.
TOLERANCE, TOLERANCE_IN_DOUBT = 1e-3, 1.0

Vector = list[float]


@dataclass(frozen=True)
class Quantised:
    """Integers from -127 to 127 in groups, and each group's scale."""

    groups: list[list[int]]
    scales: Vector


def _dot(w: Quantised, x: Quantised) -> float:
    parts = zip(w.groups, w.scales, x.groups, x.scales, strict=True)
    total: float = sum(sum(map(mul, wg, xg)) * (ws * xs) for wg, ws, xg, xs in parts)
    return total


def _normed(x: Vector, weight: Vector) -> Vector:
    scale = 1.0 / math.sqrt(sum(map(mul, x, x)) / len(x) + NORM_EPSILON)
    return [w * (scale * value) for w, value in zip(weight, x, strict=True)]


def _rotated(x: Vector, position: int, head_size: int) -> Vector:
    out = []
    for i in range(0, len(x), 2):
        angle = position * ROPE_BASE ** (-(i % head_size) / head_size)
        cosine, sine = math.cos(angle), math.sin(angle)
        out += [x[i] * cosine - x[i + 1] * sine, x[i] * sine + x[i + 1] * cosine]
    return out


class ReferenceModel:
    """A model and its tokenizer, read from their files."""

    def __init__(self, checkpoint: Path, tokenizer: Path) -> None:
        data = checkpoint.read_bytes()
        magic, version, *shape, shared, group = struct.unpack_from("<Ii7iBi", data)
        assert (magic, version, shared) == (MAGIC, 2, 1), f"{checkpoint} is no int8 model"
        self.dim, self.hidden, self.layers, self.heads, self.kv_heads, self.vocabulary, self.context = shape
        self.group = group
        self._data, self._offset = data, HEADER_BYTES
        self._attention_norms = [self._floats(self.dim) for _ in range(self.layers)]
        self._ffn_norms = [self._floats(self.dim) for _ in range(self.layers)]
        self._final_norm = self._floats(self.dim)
        kv_dim = self.dim // self.heads * self.kv_heads
        self._embedding = self._matrix(self.vocabulary, self.dim)
        sizes = {
            "wq": (self.dim, self.dim),
            "wk": (kv_dim, self.dim),
            "wv": (kv_dim, self.dim),
            "wo": (self.dim, self.dim),
            "w1": (self.hidden, self.dim),
            "w2": (self.dim, self.hidden),
            "w3": (self.hidden, self.dim),
        }
        self._weights = {
            name: [self._matrix(*size) for _ in range(self.layers)] for name, size in sizes.items()
        }
        assert self._offset == len(data), f"{checkpoint} is longer than its header says"
        self.pieces = self._read_pieces(tokenizer.read_bytes())

    def _floats(self, count: int) -> Vector:
        values = struct.unpack_from(f"<{count}f", self._data, self._offset)
        self._offset += 4 * count
        return list(values)

    def _matrix(self, rows: int, columns: int) -> list[Quantised]:
        values = struct.unpack_from(f"<{rows * columns}b", self._data, self._offset)
        self._offset += rows * columns
        scales = self._floats(rows * columns // self.group)
        in_row = columns // self.group
        groups = [list(values[i : i + self.group]) for i in range(0, len(values), self.group)]
        return [
            Quantised(groups[i : i + in_row], scales[i : i + in_row]) for i in range(0, len(groups), in_row)
        ]

    def _read_pieces(self, data: bytes) -> list[bytes]:
        pieces, offset = [], 4
        while offset < len(data):
            (length,) = struct.unpack_from("<i", data, offset + 4)
            pieces.append(data[offset + 8 : offset + 8 + length])
            offset += 8 + length
        assert len(pieces) == self.vocabulary
        return pieces

    def _quantise(self, x: Vector) -> Quantised:
        """Values rounded to nearest, halves away from zero."""
        groups, scales = [], []
        for first in range(0, len(x), self.group):
            part = x[first : first + self.group]
            scale = max(map(abs, part)) / 127.0
            raised = [abs(value) / (scale or 1.0) + 0.5 for value in part]
            groups.append([int(math.copysign(int(r), value)) for r, value in zip(raised, part, strict=True)])
            scales.append(scale)
            self._certain &= all(DOUBT < r % 1.0 < 1.0 - DOUBT for r in raised)
        return Quantised(groups, scales)

    def _multiply(self, matrix: list[Quantised], x: Vector) -> Vector:
        quantised = self._quantise(x)
        return [_dot(row, quantised) for row in matrix]

    def _attend(self, query: Vector, keys: list[Vector], values: list[Vector]) -> Vector:
        size = self.dim // self.heads
        out: Vector = []
        for head in range(self.heads):
            first = head * self.kv_heads // self.heads * size
            part = query[head * size : (head + 1) * size]
            scores = [sum(map(mul, part, key[first : first + size])) / math.sqrt(size) for key in keys]
            most = max(scores)
            powers = [math.exp(score - most) for score in scores]
            total = sum(powers)
            columns = zip(*(value[first : first + size] for value in values), strict=True)
            out += [sum(map(mul, powers, column)) / total for column in columns]
        return out

    def _forward(self, token: int, caches: list[tuple[list[Vector], list[Vector]]]) -> Vector:
        """The logits behind this token, whose position is the caches' length."""
        row = self._embedding[token]
        x = [v * scale for group, scale in zip(row.groups, row.scales, strict=True) for v in group]
        position, head_size = len(caches[0][0]), self.dim // self.heads
        for layer, (keys, values) in enumerate(caches):
            w = {name: matrices[layer] for name, matrices in self._weights.items()}
            normed = _normed(x, self._attention_norms[layer])
            query = _rotated(self._multiply(w["wq"], normed), position, head_size)
            keys.append(_rotated(self._multiply(w["wk"], normed), position, head_size))
            values.append(self._multiply(w["wv"], normed))
            attended = self._multiply(w["wo"], self._attend(query, keys, values))
            x = [a + b for a, b in zip(x, attended, strict=True)]
            normed = _normed(x, self._ffn_norms[layer])
            gates, ups = self._multiply(w["w1"], normed), self._multiply(w["w3"], normed)
            opened = [g / (1.0 + math.exp(-g)) * up for g, up in zip(gates, ups, strict=True)]
            x = [a + b for a, b in zip(x, self._multiply(w["w2"], opened), strict=True)]
        return self._multiply(self._embedding, _normed(x, self._final_norm))

    def logits(self, ids: list[int]) -> list[tuple[Vector, bool]]:
        """The logits behind BOS and behind each of these tokens but the last, and whether 32-bit floats must
        come to the same: up to the first activation that they may round to another integer."""
        caches: list[tuple[list[Vector], list[Vector]]] = [([], []) for _ in range(self.layers)]
        self._certain = True
        return [(self._forward(token, caches), self._certain) for token in [BOS, *ids[:-1]]]

    def check(self, ids: list[int], logits: Sequence[float]) -> None:
        """At every step these are the logits, but for the tolerance, and the likeliest token was taken."""
        for step, (expected, is_certain) in enumerate(self.logits(ids)):
            tolerance = TOLERANCE if is_certain else TOLERANCE_IN_DOUBT
            found = logits[step * self.vocabulary : (step + 1) * self.vocabulary]
            assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) < tolerance
            assert found.index(max(found)) == ids[step]

    def decode(self, ids: list[int]) -> str:
        """The text of tokens that follow BOS."""
        parts = [bytes([token - FIRST_BYTE]) if token < FIRST_TEXT else self.pieces[token] for token in ids]
        return b"".join(parts).removeprefix(b" ").decode()
