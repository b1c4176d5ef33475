"""The smallest model that a tokenizer can be put into."""

from __future__ import annotations

from collections.abc import Mapping

from gguf_file import Tensor, Value, gguf_file

WIDTH = 4


def model_with(tokenizer: Mapping[str, Value]) -> bytes:
    """The smallest model with this tokenizer; all its weights are 0."""
    tokens = tokenizer["tokenizer.ggml.tokens"]
    assert isinstance(tokens, list)
    numbers = {
        "context_length": 4096,
        "embedding_length": WIDTH,
        "block_count": 1,
        "attention.head_count": 1,
        "feed_forward_length": WIDTH,
    }
    config: dict[str, Value] = {f"llama.{key}": value for key, value in numbers.items()}
    config["general.architecture"] = "llama"
    zeros = bytes(4 * WIDTH)
    rows = {"token_embd": len(tokens)}
    rows |= {f"blk.0.attn_{part}": WIDTH for part in ("q", "k", "v", "output")}
    rows |= {f"blk.0.ffn_{part}": WIDTH for part in ("gate", "up", "down")}
    tensors = [Tensor(f"{name}.weight", 0, WIDTH, count, zeros * count) for name, count in rows.items()]
    norms = ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm")
    tensors += [Tensor(f"{name}.weight", 0, WIDTH, None, zeros) for name in norms]
    return gguf_file({**config, **tokenizer}, tensors)
