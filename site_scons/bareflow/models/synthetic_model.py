"""Made-up checkpoints and a tokenizer: of true size, with weights that are zero or random."""

from __future__ import annotations

import array
import random
import struct
from dataclasses import astuple, dataclass

from bareflow.model_program import MODEL_PROGRAM

MAGIC = 0x616B3432
HEADER_BYTES = 256
GROUP = 4
KINDS = ("v0", "v2")
FIRST_TEXT = 259  # ids below: three specials and the bytes


@dataclass(frozen=True)
class ModelConfig:
    """The hyperparameters of a model, in the order of a checkpoint's header."""

    dim: int = 64
    hidden: int = 172
    layers: int = 5
    heads: int = 8
    kv_heads: int = 4
    vocabulary: int = 512
    context: int = 512

    @property
    def norms(self) -> int:
        return (2 * self.layers + 1) * self.dim

    @property
    def tensors(self) -> list[int]:
        """Weights of the embedding and of each matrix, in the order of a checkpoint."""
        kv_dim = self.dim // self.heads * self.kv_heads
        rows = [self.vocabulary]
        for count in (self.dim, kv_dim, kv_dim, self.dim, self.hidden, self.hidden, self.hidden):
            rows += [count] * self.layers
        return [self.dim * count for count in rows]

    @property
    def matrices(self) -> int:
        """All of these weights."""
        return sum(self.tensors)


def checkpoint_v0(config: ModelConfig) -> bytes:
    """Seven int32, then float32 weights, among them unused tables for the rotation."""
    tables = config.context * (config.dim // config.heads)
    return struct.pack("<7i", *astuple(config)) + bytes(4 * (config.norms + config.matrices + tables))


def checkpoint_v2(config: ModelConfig, group: int) -> bytes:
    """A header of 256 bytes, float32 norms, int8 weights with a float32 scale for each group."""
    header = struct.pack("<Ii7iBi", MAGIC, 2, *astuple(config), 1, group).ljust(HEADER_BYTES, b"\0")
    return header + bytes(4 * config.norms + config.matrices + 4 * (config.matrices // group))


def random_checkpoint(kind: str, config: ModelConfig, seed: int) -> bytes:
    """Like the other two ("v0", "v2"), but with weights of which something different comes out each time."""
    numbers = random.Random(seed)

    def floats(count: int, most: float) -> bytes:
        return array.array("f", (numbers.uniform(-most, most) for _ in range(count))).tobytes()

    if kind == "v0":
        zeros = checkpoint_v0(config)
        return zeros[:28] + floats((len(zeros) - 28) // 4, 0.3)
    header = checkpoint_v2(config, GROUP)[:HEADER_BYTES]
    weights = (numbers.randbytes(size) + floats(size // GROUP, 0.3 / 127) for size in config.tensors)
    return header + floats(config.norms, 1.0) + b"".join(weights)


def model_files(kind: str) -> dict[str, bytes]:
    """A small model for a disk, by path: kind "v0" (float32) or "v2" (int8)."""
    config = ModelConfig()
    checkpoint = checkpoint_v0(config) if kind == "v0" else checkpoint_v2(config, GROUP)
    return {
        MODEL_PROGRAM.disk["model"]: checkpoint,
        MODEL_PROGRAM.disk["tokenizer"]: tokenizer(config.vocabulary),
    }


def tokenizer(vocabulary: int) -> bytes:
    """The specials, the bytes, the printable characters, and words that nothing merges to."""
    pieces = [b"<unk>", b"\n<s>\n", b"\n</s>\n"] + [f"<0x{byte:02X}>".encode() for byte in range(256)]
    pieces += [bytes([character]) for character in range(0x20, 0x7F)]
    pieces += [f"word{number}".encode() for number in range(vocabulary - len(pieces))]
    assert len(pieces) == vocabulary
    return struct.pack("<i", max(map(len, pieces))) + b"".join(
        struct.pack("<fi", 0.0, len(piece)) + piece for piece in pieces
    )
