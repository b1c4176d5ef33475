"""A model that gives the same answer to everything: which token follows depends on the last one alone.

Embeddings are unit vectors, a dimension for each token, and no layer adds anything. The classifier has a 1
where a token follows another one.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping, Sequence

from gguf_file import Tensor, Value, gguf_file

CONTEXT = 4096
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, BYTE = 1, 2, 3, 4, 6
BYTES = 3
"""The id of byte 0."""


def vocabulary(control: Sequence[str], user_defined: Sequence[str], texts: Sequence[str]) -> dict[str, Value]:
    """A tokenizer of bytes and of these pieces; `control` begins with <unk>, BOS and EOS. It makes bytes of
    every text, because the scores of `texts` are those of nothing that can be merged."""
    pieces = [
        *control[:BYTES],
        *(f"<0x{i:02X}>" for i in range(256)),
        *control[BYTES:],
        *user_defined,
        *texts,
    ]
    kinds = [UNKNOWN, CONTROL, CONTROL] + [BYTE] * 256 + [CONTROL] * (len(control) - BYTES)
    return {
        "tokenizer.ggml.model": "llama",
        "tokenizer.ggml.tokens": pieces,
        "tokenizer.ggml.scores": [0.0] * len(pieces),
        "tokenizer.ggml.token_type": kinds + [USER_DEFINED] * len(user_defined) + [NORMAL] * len(texts),
        "tokenizer.ggml.bos_token_id": 1,
        "tokenizer.ggml.eos_token_id": 2,
        "tokenizer.ggml.add_bos_token": True,
        "tokenizer.ggml.add_space_prefix": False,
    }


def fixed_answer(tokenizer: Mapping[str, Value], answer: Sequence[int]) -> bytes:
    """The file of a model whose answer is always these tokens, of which none but the last is in a prompt's
    end."""
    tokens = tokenizer["tokenizer.ggml.tokens"]
    assert isinstance(tokens, list)
    count = len(tokens)
    size = -(-count // 64) * 64
    zeros = bytes(4 * size)

    def matrix(ones: set[tuple[int, int]]) -> bytes:
        return struct.pack(
            f"<{count * size}f",
            *(float((row, column) in ones) for row in range(count) for column in range(size)),
        )

    follows = dict(itertools.pairwise(answer))
    ones = {(follows.get(token, answer[0]), token) for token in range(count)}
    numbers = {
        "context_length": CONTEXT,
        "embedding_length": size,
        "block_count": 1,
        "attention.head_count": size // 64,
        "feed_forward_length": 64,
    }
    config: dict[str, Value] = {f"llama.{key}": value for key, value in numbers.items()}
    config |= {"general.architecture": "llama", "llama.attention.layer_norm_rms_epsilon": 1e-5}
    tensors = [
        Tensor("token_embd.weight", 0, size, count, matrix({(token, token) for token in range(count)})),
        Tensor("output.weight", 0, size, count, matrix(ones)),
        Tensor("output_norm.weight", 0, size, None, struct.pack(f"<{size}f", *[1.0] * size)),
        Tensor("blk.0.attn_norm.weight", 0, size, None, zeros),
        Tensor("blk.0.ffn_norm.weight", 0, size, None, zeros),
        Tensor("blk.0.ffn_down.weight", 0, 64, size, bytes(4 * 64 * size)),
    ]
    rows = {"attn_q": size, "attn_k": size, "attn_v": size, "attn_output": size, "ffn_gate": 64, "ffn_up": 64}
    tensors += [Tensor(f"blk.0.{name}.weight", 0, size, n, zeros * n) for name, n in rows.items()]
    return gguf_file({**config, **tokenizer}, tensors)
