"""Made-up GGUF models of true size: random weights in valid blocks, and a tokenizer of the kind `llama`.

    python -m bareflow.models.synthetic_gguf file=FILE type=F32|Q8_0|Q4_0|Q6_K|Q4_K_M [size=15M|110M|1.1B]

or main(argv) with the same arguments: a llama of TinyLlama-1.1B's hyperparameters, or of those of llama2.c's
models with 15 or 110 million. The weights of a type come from one pool of blocks, each tensor's from another
place of it. The same arguments give the same bytes.
"""

from __future__ import annotations

import random
import struct
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bareflow import program
from bareflow.errors import BareFlowError

VERSION, ALIGNMENT = 3, 32
UINT32, INT32, FLOAT32, STRING, ARRAY = 4, 5, 6, 8, 9
NORMAL, UNKNOWN, CONTROL, BYTE = 1, 2, 3, 6
"""Kinds of tokens."""

POOL = 1 << 22
"""Bytes of a pool, at least."""


class SyntheticModelError(BareFlowError):
    """An argument is wrong."""


@dataclass(frozen=True)
class Type:
    """A type of weights. scales: where a block has binary16 factors, and what they are times 1 /
    sqrt(columns) for weights with a standard deviation of about that."""

    number: int
    columns: int
    size: int
    scales: Mapping[int, float]


TYPES = {
    "F32": Type(0, 1, 4, {}),
    "Q8_0": Type(8, 32, 34, {0: 1 / 74}),
    "Q4_0": Type(2, 32, 18, {0: 1 / 4.6}),
    "Q5_0": Type(6, 32, 22, {0: 1 / 9.2}),
    "Q4_K": Type(12, 256, 144, {0: 1 / 250, 2: 7.5 / 250}),
    "Q6_K": Type(14, 256, 210, {208: 1 / 1370}),
}


@dataclass(frozen=True)
class Shape:
    """Hyperparameters of a llama."""

    dim: int
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    vocabulary: int
    context: int


TINYLLAMA = Shape(2048, 5632, 22, 32, 4, 32000, 2048)
SHAPES = {
    "15M": Shape(288, 768, 6, 6, 6, 32000, 2048),
    "110M": Shape(768, 2048, 12, 12, 12, 32000, 2048),
    "1.1B": TINYLLAMA,
}
MIXTURES = ("F32", "Q8_0", "Q4_0", "Q6_K", "Q4_K_M")
SHORT_ROWS = {"Q4_K": "Q5_0", "Q6_K": "Q8_0"}
"""What llama.cpp's quantiser takes for rows that are no whole blocks of a K type."""


@dataclass(frozen=True)
class Tensor:
    """rows is None of a vector."""

    name: str
    wanted: str
    columns: int
    rows: int | None

    @property
    def type(self) -> str:
        whole = self.columns % TYPES[self.wanted].columns == 0
        return self.wanted if whole else SHORT_ROWS[self.wanted]

    @property
    def size(self) -> int:
        kind = TYPES[self.type]
        return (self.rows or 1) * self.columns // kind.columns * kind.size


def _more_bits(layer: int, layers: int) -> bool:
    """Whether Q4_K_M has Q6_K for a layer's values and ffn_down, in llama.cpp's mixture."""
    eighth = layers // 8
    return layer < eighth or layer >= 7 * layers // 8 or (layer - eighth) % 3 == 2


def _tensors(shape: Shape, mixture: str) -> Iterator[Tensor]:
    kv = shape.dim // shape.heads * shape.kv_heads
    few, more = ("Q4_K", "Q6_K") if mixture == "Q4_K_M" else (mixture, mixture)
    yield Tensor("token_embd.weight", few, shape.dim, shape.vocabulary)
    yield Tensor("output_norm.weight", "F32", shape.dim, None)
    yield Tensor("output.weight", more, shape.dim, shape.vocabulary)
    for layer in range(shape.layers):
        best = more if _more_bits(layer, shape.layers) else few
        matrices = {
            "attn_q": (few, shape.dim, shape.dim),
            "attn_k": (few, shape.dim, kv),
            "attn_v": (best, shape.dim, kv),
            "attn_output": (few, shape.dim, shape.dim),
            "ffn_gate": (few, shape.dim, shape.hidden),
            "ffn_up": (few, shape.dim, shape.hidden),
            "ffn_down": (best, shape.hidden, shape.dim),
        }
        for name in ("attn_norm", "ffn_norm"):
            yield Tensor(f"blk.{layer}.{name}.weight", "F32", shape.dim, None)
        for name, (kind, columns, rows) in matrices.items():
            yield Tensor(f"blk.{layer}.{name}.weight", kind, columns, rows)


def _string(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _entries(shape: Shape) -> Iterator[bytes]:
    """The metadata, an entry each."""

    def entry(key: str, kind: int, value: bytes) -> bytes:
        return _string(key) + struct.pack("<I", kind) + value

    def array(key: str, kind: int, values: list[bytes]) -> bytes:
        return entry(key, ARRAY, struct.pack("<IQ", kind, len(values)) + b"".join(values))

    numbers = {
        "context_length": shape.context,
        "embedding_length": shape.dim,
        "block_count": shape.layers,
        "feed_forward_length": shape.hidden,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
        "rope.dimension_count": shape.dim // shape.heads,
    }
    yield entry("general.architecture", STRING, _string("llama"))
    for key, number in numbers.items():
        yield entry(f"llama.{key}", UINT32, struct.pack("<I", number))
    yield entry("llama.attention.layer_norm_rms_epsilon", FLOAT32, struct.pack("<f", 1e-5))
    texts = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    kinds = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256
    texts += [f"\u2581{number:x}" for number in range(shape.vocabulary - len(texts))]
    kinds += [NORMAL] * (shape.vocabulary - len(kinds))
    yield entry("tokenizer.ggml.model", STRING, _string("llama"))
    yield array("tokenizer.ggml.tokens", STRING, [_string(text) for text in texts])
    scores = [struct.pack("<f", -float(number)) for number in range(shape.vocabulary)]
    yield array("tokenizer.ggml.scores", FLOAT32, scores)
    yield array("tokenizer.ggml.token_type", INT32, [struct.pack("<i", kind) for kind in kinds])


def _pool(kind: Type, columns: int, chance: random.Random) -> bytes:
    """Random blocks for rows of so many columns."""
    if not kind.scales:
        most = (3 / columns) ** 0.5
        count = POOL // kind.size
        return struct.pack(f"<{count}f", *(chance.uniform(-most, most) for _ in range(count)))
    blocks = bytearray(chance.randbytes((POOL // kind.size + 1) * kind.size))
    for at in range(0, len(blocks), kind.size):
        for place, scale in kind.scales.items():
            struct.pack_into("<e", blocks, at + place, scale / columns**0.5 * chance.uniform(0.7, 1.3))
    return bytes(blocks)


class _Weights:
    """Where a type's blocks come from."""

    def __init__(self) -> None:
        self._chance = random.Random(1)
        self._pools: dict[tuple[str, int], bytes] = {}

    def write(self, file: BinaryIO, tensor: Tensor) -> None:
        if tensor.rows is None:
            ones = (self._chance.uniform(0.9, 1.1) for _ in range(tensor.columns))
            file.write(struct.pack(f"<{tensor.columns}f", *ones))
            return
        key = tensor.type, tensor.columns
        if key not in self._pools:
            self._pools[key] = _pool(TYPES[tensor.type], tensor.columns, self._chance)
        pool, left, size = self._pools[key], tensor.size, TYPES[tensor.type].size
        at = self._chance.randrange(len(pool) // size) * size
        while left:
            part = pool[at : at + left]
            file.write(part)
            left -= len(part)
            at = 0


def write_model(path: Path, shape: Shape, mixture: str) -> None:
    """Writes the file."""
    tensors, entries = list(_tensors(shape, mixture)), list(_entries(shape))
    head = b"GGUF" + struct.pack("<IQQ", VERSION, len(tensors), len(entries)) + b"".join(entries)
    offset = 0
    for tensor in tensors:
        extents = [tensor.columns] if tensor.rows is None else [tensor.columns, tensor.rows]
        head += _string(tensor.name) + struct.pack(f"<I{len(extents)}Q", len(extents), *extents)
        head += struct.pack("<IQ", TYPES[tensor.type].number, offset)
        offset += tensor.size + -tensor.size % ALIGNMENT
    weights = _Weights()
    with path.open("wb") as file:
        file.write(head + bytes(-len(head) % ALIGNMENT))
        for tensor in tensors:
            weights.write(file, tensor)
            file.write(bytes(-tensor.size % ALIGNMENT))


def main(argv: Sequence[str]) -> int:
    """Writes the model that the arguments name."""
    given = dict(argument.partition("=")[::2] for argument in argv)
    size = given.pop("size", "1.1B")
    if given.keys() != {"file", "type"} or given["type"] not in MIXTURES or size not in SHAPES:
        names = f"type= with one of {' '.join(MIXTURES)}, size= with one of {' '.join(SHAPES)}"
        raise SyntheticModelError(f"it takes file=FILE, {names}")
    write_model(Path(given["file"]), SHAPES[size], given["type"])
    return 0


if __name__ == "__main__":
    sys.exit(program.call("synthetic_gguf", main, sys.argv[1:]))
