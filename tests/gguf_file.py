"""GGUF files for tests: a writer and a reader of their metadata, written from the format's description."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Value = str | bool | int | float | Sequence[str] | Sequence[float] | Sequence[int]

UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY, UINT64 = 4, 5, 6, 7, 8, 9, 10
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}


@dataclass(frozen=True)
class Tensor:
    """A matrix of `rows` rows, or with None a vector. data: its blocks, row after row."""

    name: str
    type: int
    columns: int
    rows: int | None
    data: bytes


def _string(text: str) -> bytes:
    data = text.encode("utf-8", "surrogateescape")
    return struct.pack("<Q", len(data)) + data


def _typed(value: Value) -> tuple[int, bytes]:
    """The value's type and bytes: whole numbers are uint32, in arrays int32; others float32."""
    if isinstance(value, str):
        return STRING, _string(value)
    if isinstance(value, bool):
        return BOOL, struct.pack("<?", value)
    if isinstance(value, int):
        return UINT32, struct.pack("<I", value)
    if isinstance(value, float):
        return FLOAT32, struct.pack("<f", value)
    head, count = ARRAY, len(value)
    if isinstance(value[0], str):
        return head, struct.pack("<IQ", STRING, count) + b"".join(_string(str(text)) for text in value)
    kind, code = (FLOAT32, "f") if isinstance(value[0], float) else (INT32, "i")
    return head, struct.pack(f"<IQ{count}{code}", kind, count, *value)


def _padded(data: bytes, alignment: int) -> bytes:
    return data + bytes(-len(data) % alignment)


def gguf_file(metadata: Mapping[str, Value], tensors: Sequence[Tensor], *, version: int = 3) -> bytes:
    """A file with these entries and tensors, in this order."""
    alignment = metadata.get("general.alignment", 32)
    assert isinstance(alignment, int)
    head = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, value in metadata.items():
        kind, data = _typed(value)
        head += _string(key) + struct.pack("<I", kind) + data
    body = b""
    for tensor in tensors:
        extents = [tensor.columns] if tensor.rows is None else [tensor.columns, tensor.rows]
        head += _string(tensor.name) + struct.pack(f"<I{len(extents)}Q", len(extents), *extents)
        head += struct.pack("<IQ", tensor.type, len(body))
        body += _padded(tensor.data, alignment)
    return _padded(head, alignment) + body


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, code: str) -> int | float:
        (value,) = struct.unpack_from(f"<{code}", self.data, self.at)
        self.at += struct.calcsize(f"<{code}")
        number: int | float = value
        return number

    def string(self) -> str:
        length = int(self.take("Q"))
        self.at += length
        return self.data[self.at - length : self.at].decode("utf-8", "surrogateescape")

    def value(self, kind: int) -> Value:
        if kind == STRING:
            return self.string()
        if kind != ARRAY:
            return self.take(_SCALARS[kind])
        inner, count = int(self.take("I")), int(self.take("Q"))
        if inner == STRING:
            return [self.string() for _ in range(count)]
        values: list[int] | list[float] = list(
            struct.unpack_from(f"<{count}{_SCALARS[inner]}", self.data, self.at)
        )
        self.at += count * struct.calcsize(f"<{_SCALARS[inner]}")
        return values


def gguf_metadata(data: bytes) -> dict[str, Value]:
    """The entries of a file."""
    reader = _Reader(data)
    reader.at = 16
    return {reader.string(): reader.value(int(reader.take("I"))) for _ in range(int(reader.take("Q")))}
