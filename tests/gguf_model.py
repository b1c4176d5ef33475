"""Small GGUF models of every architecture with random weights, and their forward pass with 64-bit floats in
plain Python, written from the papers. Nothing in it is shared with the program under test."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import mul

from gguf_blocks import TYPES, Floats, floats_of, random_blocks
from gguf_file import Tensor, Value, gguf_file

VOCABULARY = 272
EPSILON = 1e-6
ROPE_FREQS = (1.0, 1.5, 2.0, 3.0, 4.0, 5.5, 7.0, 8.0)


@dataclass(frozen=True)
class Shape:
    """Hyperparameters of a made-up model. Types: of the matrices in turn; F32 if there are none."""

    architecture: str
    dim: int = 32
    hidden: int = 48
    layers: int = 2
    heads: int = 4
    kv_heads: int = 2
    head_size: int = 16
    rope_base: float = 10000.0
    rope_scale: float = 1.0
    rope_freqs: bool = False
    tied: bool = True
    window: int = 0
    logit_cap: float = 0.0
    types: tuple[str, ...] = ()

    @property
    def gemma(self) -> bool:
        return self.architecture == "gemma3"

    @property
    def qk_norm(self) -> bool:
        return self.architecture in ("qwen3", "gemma3")


SHAPES = {
    "llama": Shape("llama", rope_base=500000.0, rope_freqs=True, head_size=16, tied=False),
    "head-12": Shape("llama", kv_heads=1, head_size=12, rope_scale=4.0),
    "qwen2": Shape("qwen2", rope_base=1e6, kv_heads=4, head_size=8),
    "qwen3": Shape("qwen3", rope_base=1e6, head_size=24),
    "gemma3": Shape("gemma3", rope_base=1e6, kv_heads=1, layers=4, window=5, logit_cap=30.0),
    "types": Shape(
        "llama", dim=256, hidden=256, head_size=64, tied=False,
        types=("Q8_0", "F16", "BF16", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "IQ4_NL",
               "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K", "IQ4_XS", "F32"),
    ),
    "few types": Shape(
        "qwen3", dim=256, hidden=256, layers=1, heads=2, kv_heads=1, head_size=128,
        types=("Q8_0", "Q4_K", "Q4_0", "F16", "Q6_K", "Q5_1"),
    ),
}  # fmt: skip
BITS = {
    "f32": "103e15b409ddfe958db4ea8b91ac7f7a4049804438c926b82827a06c5d38c125",
    "f16": "6f93fbe04649f6286d8deb0928cfa9a661f6c535cf0441343200d8abb90bc529",
}
"""SHA-256 of the logits of PROMPT with the model "few types", by the type of the KV cache: every vector width
and variant has to give these bits."""
PATTERN = 2
"""Of gemma3's layers here: each second one is global."""
PROMPT = (1, 70, 33, 259, 104, 12, 200, 64, 71)


@dataclass
class Model:
    """A model as a file, and its weights as numbers."""

    shape: Shape
    metadata: dict[str, Value]
    tensors: list[Tensor] = field(default_factory=list)
    weights: dict[str, list[Floats]] = field(default_factory=dict)
    """Row by row; vectors have one row."""

    @property
    def file(self) -> bytes:
        return gguf_file(self.metadata, self.tensors)


def spm_tokenizer() -> dict[str, Value]:
    """A tokenizer of the kind `llama`: 3 control pieces, 256 bytes, and 13 texts."""
    texts = ["\u2581", "a", "b", "c", "ab", "bc", "abc", "\u2581a", "\u2581abc", "e", "l", "lo", "o"]
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": ["<unk>", "<s>", "</s>", *(f"<0x{i:02X}>" for i in range(256)), *texts],
        "tokenizer.ggml.scores": [0.0] * 259 + [-float(i) for i in range(1, 14)],
        "tokenizer.ggml.token_type": [2, 3, 3] + [6] * 256 + [1] * 13,
    }


def _metadata(shape: Shape) -> dict[str, Value]:
    own: dict[str, Value] = {
        "context_length": 64,
        "embedding_length": shape.dim,
        "block_count": shape.layers,
        "feed_forward_length": shape.hidden,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.kv_heads,
        "attention.key_length": shape.head_size,
        "attention.value_length": shape.head_size,
        "attention.layer_norm_rms_epsilon": EPSILON,
        "rope.freq_base": shape.rope_base,
    }
    if shape.rope_scale != 1.0:
        own |= {"rope.scaling.type": "linear", "rope.scaling.factor": shape.rope_scale}
    if shape.window:
        own |= {"attention.sliding_window": shape.window, "attention.sliding_window_pattern": PATTERN}
    if shape.logit_cap:
        own["final_logit_softcapping"] = shape.logit_cap
    prefixed: dict[str, Value] = {f"{shape.architecture}.{key}": value for key, value in own.items()}
    return {"general.architecture": shape.architecture, **prefixed, **spm_tokenizer()}


def make_model(name: str) -> Model:
    """The model of SHAPES, always the same."""
    shape, chance = SHAPES[name], random.Random(name)
    model = Model(shape, _metadata(shape))
    matrices = 0

    def matrix(tensor: str, rows: int, columns: int) -> None:
        nonlocal matrices
        kind = shape.types[matrices % len(shape.types)] if shape.types else "F32"
        matrices += 1
        data = random_blocks(kind, rows * columns, chance, 1.2 / math.sqrt(columns))
        model.tensors.append(Tensor(f"{tensor}.weight", TYPES[kind], columns, rows, data))
        numbers = floats_of(kind, data)
        model.weights[f"{tensor}.weight"] = _rows(numbers, columns)

    def vector(tensor: str, size: int, middle: float) -> None:
        data = struct.pack(f"<{size}f", *(middle + chance.uniform(-0.4, 0.4) for _ in range(size)))
        model.tensors.append(Tensor(tensor, TYPES["F32"], size, None, data))
        model.weights[tensor] = [floats_of("F32", data)]

    query, kv = shape.heads * shape.head_size, shape.kv_heads * shape.head_size
    matrix("token_embd", VOCABULARY, shape.dim)
    vector("output_norm.weight", shape.dim, 1.0)
    if not shape.tied:
        matrix("output", VOCABULARY, shape.dim)
    if shape.rope_freqs:
        data = struct.pack(f"<{len(ROPE_FREQS)}f", *ROPE_FREQS)
        model.tensors.append(Tensor("rope_freqs.weight", TYPES["F32"], len(ROPE_FREQS), None, data))
    for layer in range(shape.layers):
        name = f"blk.{layer}"
        vector(f"{name}.attn_norm.weight", shape.dim, 1.0)
        for part, rows in (("q", query), ("k", kv), ("v", kv)):
            matrix(f"{name}.attn_{part}", rows, shape.dim)
            if shape.architecture == "qwen2":
                vector(f"{name}.attn_{part}.bias", rows, 0.0)
        if shape.qk_norm:
            vector(f"{name}.attn_q_norm.weight", shape.head_size, 1.0)
            vector(f"{name}.attn_k_norm.weight", shape.head_size, 1.0)
        matrix(f"{name}.attn_output", shape.dim, query)
        vector(f"{name}.ffn_norm.weight", shape.dim, 1.0)
        matrix(f"{name}.ffn_gate", shape.hidden, shape.dim)
        matrix(f"{name}.ffn_up", shape.hidden, shape.dim)
        matrix(f"{name}.ffn_down", shape.dim, shape.hidden)
        if shape.gemma:
            vector(f"{name}.post_attention_norm.weight", shape.dim, 1.0)
            vector(f"{name}.post_ffw_norm.weight", shape.dim, 1.0)
    chance.shuffle(model.tensors)
    return model


def _product(matrix: list[Floats], x: Floats) -> Floats:
    return [sum(map(mul, row, x)) for row in matrix]


def _norm(x: Floats, weight: Floats) -> Floats:
    scale = 1.0 / math.sqrt(sum(map(mul, x, x)) / len(x) + EPSILON)
    return [w * scale * value for w, value in zip(weight, x, strict=True)]


def _rows(x: Floats, size: int) -> list[Floats]:
    """The parts of this size, one after the other."""
    return [x[i : i + size] for i in range(0, len(x), size)]


class Reference:
    """The forward pass of a model, token by token."""

    def __init__(self, model: Model) -> None:
        self._shape, self._weights = model.shape, model.weights
        self._keys: list[list[list[Floats]]] = [[] for _ in range(model.shape.layers)]
        self._values: list[list[list[Floats]]] = [[] for _ in range(model.shape.layers)]

    def _is_local(self, layer: int) -> bool:
        return bool(self._shape.window) and (layer + 1) % PATTERN != 0

    def _rotated(self, head: Floats, position: int, layer: int) -> Floats:
        shape, half = self._shape, len(head) // 2
        local = self._is_local(layer)
        base, scale = (10000.0, 1.0) if local else (shape.rope_base, 1.0 / shape.rope_scale)
        out = list(head)
        for i in range(half):
            angle = position * scale * base ** (-i / half)
            if shape.rope_freqs:
                angle /= ROPE_FREQS[i]
            a, b = (2 * i, 2 * i + 1) if shape.architecture == "llama" else (i, i + half)
            out[a] = head[a] * math.cos(angle) - head[b] * math.sin(angle)
            out[b] = head[a] * math.sin(angle) + head[b] * math.cos(angle)
        return out

    def _attend(self, query: Floats, keys: list[Floats], values: list[Floats]) -> Floats:
        scores = [sum(map(mul, query, key)) / math.sqrt(len(query)) for key in keys]
        powers = [math.exp(score - max(scores)) for score in scores]
        return [sum(map(mul, powers, column)) / sum(powers) for column in zip(*values, strict=True)]

    def _attention(self, layer: int, x: Floats) -> Floats:
        shape, prefix = self._shape, f"blk.{layer}.attn_"
        position = len(self._keys[layer])
        parts = []
        for part in "qkv":
            y = _product(self._weights[f"{prefix}{part}.weight"], x)
            if bias := self._weights.get(f"{prefix}{part}.bias"):
                y = [a + b for a, b in zip(y, bias[0], strict=True)]
            heads = _rows(y, shape.head_size)
            if shape.qk_norm and part != "v":
                heads = [_norm(head, self._weights[f"{prefix}{part}_norm.weight"][0]) for head in heads]
            if part != "v":
                heads = [self._rotated(head, position, layer) for head in heads]
            parts.append(heads)
        queries, keys, values = parts
        self._keys[layer].append(keys)
        self._values[layer].append(values)
        first = max(0, position + 1 - shape.window) if self._is_local(layer) else 0
        out: Floats = []
        for i, query in enumerate(queries):
            shared = i * shape.kv_heads // shape.heads
            out += self._attend(
                query,
                [heads[shared] for heads in self._keys[layer][first:]],
                [heads[shared] for heads in self._values[layer][first:]],
            )
        return _product(self._weights[f"{prefix}output.weight"], out)

    def _activation(self, g: float) -> float:
        if self._shape.gemma:
            return 0.5 * g * (1.0 + math.tanh(math.sqrt(2.0 / math.pi) * (g + 0.044715 * g**3)))
        return g / (1.0 + math.exp(-g))

    def _added(self, x: Floats, branch: Floats, post_norm: str) -> Floats:
        if self._shape.gemma:
            branch = _norm(branch, self._weights[post_norm][0])
        return [a + b for a, b in zip(x, branch, strict=True)]

    def logits(self, token: int) -> Floats:
        """Those behind the next token."""
        shape, w = self._shape, self._weights
        x = list(w["token_embd.weight"][token])
        if shape.gemma:
            x = [value * math.sqrt(shape.dim) for value in x]
        for layer in range(shape.layers):
            prefix = f"blk.{layer}"
            branch = self._attention(layer, _norm(x, w[f"{prefix}.attn_norm.weight"][0]))
            x = self._added(x, branch, f"{prefix}.post_attention_norm.weight")
            normed = _norm(x, w[f"{prefix}.ffn_norm.weight"][0])
            gate, up = (_product(w[f"{prefix}.ffn_{name}.weight"], normed) for name in ("gate", "up"))
            inner = [self._activation(g) * u for g, u in zip(gate, up, strict=True)]
            branch = _product(w[f"{prefix}.ffn_down.weight"], inner)
            x = self._added(x, branch, f"{prefix}.post_ffw_norm.weight")
        matrix = w["token_embd.weight" if shape.tied else "output.weight"]
        logits = _product(matrix, _norm(x, w["output_norm.weight"][0]))
        cap = shape.logit_cap
        return [cap * math.tanh(logit / cap) for logit in logits] if cap else logits


def error_of(found: Floats, expected: Floats) -> float:
    """The root mean square of the error over the standard deviation of what is expected."""
    mean = sum(expected) / len(expected)
    squares = sum((a - b) ** 2 for a, b in zip(found, expected, strict=True))
    return math.sqrt(squares / sum((b - mean) ** 2 for b in expected))


def expected_logits(model: Model) -> Floats:
    """Of all positions of PROMPT."""
    reference = Reference(model)
    return [logit for token in PROMPT for logit in reference.logits(token)]


def prompt_config(prompt: tuple[int, ...] = PROMPT) -> Mapping[str, object]:
    """Settings that give the guest these ids and no more."""
    return {"prompt_ids": ",".join(map(str, prompt)), "steps": len(prompt), "temperature": 0}
