"""Reads llama2.c checkpoints of version 0, 1 and 2, and writes version 2.

Version 0: seven int32 (dim, hidden_dim, n_layers, n_heads, n_kv_heads, vocab_size, max_seq_len; vocab_size
negative when the classifier is not the embedding), then float32 tensors. Versions 1 and 2: uint32 "ak42",
int32 version, the same seven int32, uint8 shared classifier, for version 2 int32 group size, zeros up to
byte 256, then the norms and the matrices. Version 2 stores a matrix as int8 values followed by one float32
scale per group (Q8_0). Little-endian.
"""

from __future__ import annotations

import struct
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from model import Config

MAGIC = 0x616B3432
HEADER_BYTES = 256
Array = npt.NDArray[np.float32]
# Order of the layers' matrices in a file of version 1 or 2.
MATRICES = ("wq", "wk", "wv", "wo", "w1", "w2", "w3")


@dataclass(frozen=True)
class Checkpoint:
    """Tensors by llama2.c's names; those of the layers have the layer as first index.

    `group_size` is 0 for float32.
    """

    config: Config
    group_size: int
    tensors: dict[str, Array]


def tensor_shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """The size of every tensor, (outputs, inputs) for a matrix."""
    layers, dim, kv_dim, hidden = config.n_layers, config.dim, config.kv_dim, config.hidden_dim
    return {
        "embedding": (config.vocab_size, dim),
        "rms_att": (layers, dim),
        "rms_ffn": (layers, dim),
        "rms_final": (dim,),
        "wq": (layers, dim, dim),
        "wk": (layers, kv_dim, dim),
        "wv": (layers, kv_dim, dim),
        "wo": (layers, dim, dim),
        "w1": (layers, hidden, dim),
        "w2": (layers, dim, hidden),
        "w3": (layers, hidden, dim),
    }


class _Reader:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.data = path.read_bytes()
        self.offset = 0

    def take(self, dtype: str, count: int) -> npt.NDArray[Any]:
        size = np.dtype(dtype).itemsize * count
        if self.offset + size > len(self.data):
            raise ValueError(
                f"{self.path}: cut short, {self.offset + size} bytes needed, {len(self.data)} there"
            )
        values = np.frombuffer(self.data, dtype, count, self.offset)
        self.offset += size
        return values

    def floats(self, shape: tuple[int, ...]) -> Array:
        values: Array = self.take("<f4", int(np.prod(shape))).reshape(shape)
        return values

    def quantised(self, shape: tuple[int, ...], group_size: int) -> Array:
        count = int(np.prod(shape))
        values = self.take("i1", count).reshape(-1, group_size)
        scales = self.take("<f4", count // group_size)
        matrix: Array = (values * scales[:, None]).astype(np.float32).reshape(shape)
        return matrix


def read_checkpoint(path: Path) -> Checkpoint:
    """Reads a checkpoint of any version; raises ValueError for one that is not understood or cut short."""
    reader = _Reader(path)
    magic, version = struct.unpack_from("<Ii", reader.data.ljust(8, b"\0"))
    if magic != MAGIC:
        return _read_version_0(reader)
    if version not in (1, 2):
        raise ValueError(f"{path}: checkpoint version {version}; 0, 1 and 2 are known")
    reader.offset = 8
    config = Config(*(int(value) for value in reader.take("<i4", 7)))
    shared = bool(reader.take("u1", 1)[0])
    group_size = int(reader.take("<i4", 1)[0]) if version == 2 else 0
    if not shared:
        raise ValueError(f"{path}: a classifier apart from the embedding is not supported")
    if version == 2 and (group_size <= 0 or config.dim % group_size or config.hidden_dim % group_size):
        raise ValueError(
            f"{path}: group size {group_size} does not divide rows of {config.dim} and {config.hidden_dim}"
        )
    reader.offset = HEADER_BYTES
    sizes = tensor_shapes(config)
    tensors = {name: reader.floats(sizes[name]) for name in ("rms_att", "rms_ffn", "rms_final")}
    for name in ("embedding", *MATRICES):
        if version == 1:
            tensors[name] = reader.floats(sizes[name])
        else:
            # Each layer's matrix is followed by its own scales; the embedding is one matrix.
            parts, size = (config.n_layers, sizes[name][1:]) if name in MATRICES else (1, sizes[name])
            read = [reader.quantised(size, group_size) for _ in range(parts)]
            tensors[name] = np.stack(read).reshape(sizes[name])
    return Checkpoint(config, group_size, tensors)


def _read_version_0(reader: _Reader) -> Checkpoint:
    values = [int(value) for value in reader.take("<i4", 7)]
    if values[5] < 0:
        raise ValueError(f"{reader.path}: a classifier apart from the embedding is not supported")
    config = Config(*values)
    order = ("embedding", "rms_att", "wq", "wk", "wv", "wo", "rms_ffn", "w1", "w2", "w3", "rms_final")
    sizes = tensor_shapes(config)
    return Checkpoint(config, 0, {name: reader.floats(sizes[name]) for name in order})


def quantise(matrix: Array, group_size: int) -> bytes:
    """Q8_0: int8 values, then the float32 scale of every group of `group_size` values along a row."""
    groups = matrix.astype(np.float32).reshape(-1, group_size)
    scales = (np.abs(groups).max(axis=1) / np.float32(127.0)).astype("<f4")
    divisors = np.where(scales > 0, scales, np.float32(1.0))
    values = np.rint(groups / divisors[:, None]).astype("i1")
    packed: bytes = values.tobytes() + scales.tobytes()
    return packed


def write_version_2(path: Path, checkpoint: Checkpoint, group_size: int) -> None:
    """Writes an int8 checkpoint; raises ValueError when groups do not divide the rows."""
    config = checkpoint.config
    if config.dim % group_size or config.hidden_dim % group_size:
        raise ValueError(
            f"group size {group_size} does not divide rows of {config.dim} and {config.hidden_dim}"
        )
    data = struct.pack("<Ii7iBi", MAGIC, 2, *astuple(config), 1, group_size).ljust(HEADER_BYTES, b"\0")
    for name in ("rms_att", "rms_ffn", "rms_final"):
        data += checkpoint.tensors[name].astype("<f4").tobytes()
    data += quantise(checkpoint.tensors["embedding"], group_size)
    for name in MATRICES:
        data += b"".join(quantise(matrix, group_size) for matrix in checkpoint.tensors[name])
    path.write_bytes(data)
