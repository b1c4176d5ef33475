"""The metadata of GGUF files: the chat template, with what it needs to know of the tokenizer, and numbers."""

import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bareflow.errors import BareFlowError

_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""The format's numbers by type, as `struct` calls them."""
_STRING, _ARRAY = 8, 9
_TEMPLATE, _TOKENS = "tokenizer.chat_template", "tokenizer.ggml.tokens"


class GgufError(BareFlowError):
    """The file is damaged."""


@dataclass(frozen=True)
class ChatProgram:
    """A chat template as a model's file has it: a program in Jinja."""

    text: bytes
    bos: str
    """What the program calls bos_token; "" where the file names none."""
    eos: str


class _Reader:
    """Values one after the other."""

    def __init__(self, data: mmap.mmap | bytes) -> None:
        self._data, self._at = data, 0

    def _take(self, size: int) -> bytes:
        if size > len(self._data) - self._at:
            raise GgufError("the file ends within its header")
        self._at += size
        return self._data[self._at - size : self._at]

    def number(self, kind: str) -> int | float:
        value: int | float = struct.unpack(f"<{kind}", self._take(struct.calcsize(f"<{kind}")))[0]
        return value

    def whole(self, kind: str) -> int:
        return int(self.number(kind))

    def string(self) -> bytes:
        return self._take(self.whole("Q"))

    def value(self, kind: int) -> object:
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            inner, count = self.whole("I"), self.whole("Q")
            if inner in _NUMBERS:
                self._take(count * struct.calcsize(f"<{_NUMBERS[inner]}"))
                return None  # nobody here needs them
            if count > len(self._data):
                raise GgufError("the file ends within its header")
            return [self.value(inner) for _ in range(count)]
        if kind not in _NUMBERS:
            raise GgufError(f"a value in its header is of type {kind}, which the format does not have")
        return self.number(_NUMBERS[kind])


def _entries(reader: _Reader) -> Iterator[tuple[str, object]]:
    """What the header says, name by name; raises GgufError."""
    if reader.whole("I") != int.from_bytes(b"GGUF", "little") or reader.whole("I") not in (2, 3):
        raise GgufError("it is no GGUF file of version 2 or 3")
    reader.whole("Q")
    for _ in range(reader.whole("Q")):
        key = reader.string().decode(errors="replace")
        yield key, reader.value(reader.whole("I"))


def kv_cache_bytes(beginning: bytes, positions: int) -> int:
    """What a KV cache of float32 for so many positions takes with the model whose file begins like this, as
    far as that says so; 0 if it is no GGUF file."""
    numbers = {}
    try:
        for key, value in _entries(_Reader(beginning)):
            if isinstance(value, int):
                numbers[key.partition(".")[2]] = value
    except GgufError:
        pass  # it goes on behind this beginning
    heads = numbers.get("attention.head_count", 1)
    key_length = numbers.get("attention.key_length", numbers.get("embedding_length", 0) // max(heads, 1))
    lengths = key_length + numbers.get("attention.value_length", key_length)
    positions = min(positions, numbers.get("context_length", positions))
    cached = numbers.get("attention.head_count_kv", heads) * lengths * positions
    return 4 * numbers.get("block_count", 0) * cached


def read_chat_program(path: Path) -> ChatProgram | None:
    """None if the file has no chat template; raises GgufError."""
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        values = dict(_entries(_Reader(data)))
    text = values.get(_TEMPLATE)
    if not isinstance(text, bytes):
        return None
    return ChatProgram(text, _token(values, "bos"), _token(values, "eos"))


def _token(values: dict[str, object], name: str) -> str:
    tokens, number = values.get(_TOKENS), values.get(f"tokenizer.ggml.{name}_token_id")
    if not isinstance(tokens, list) or not isinstance(number, int) or number >= len(tokens):
        return ""
    return bytes(tokens[number]).decode(errors="replace")
