"""Made-up GGUF models: the file's size and entries, and the same bytes each time."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.models.synthetic_gguf import Shape, SyntheticModelError, main, write_model
from gguf_file import gguf_metadata

SMALL = Shape(dim=256, hidden=512, layers=8, heads=4, kv_heads=2, vocabulary=300, context=64)
Q4_K, Q6_K, Q8_0, Q4_0 = 256 // 256 * 144, 256 // 256 * 210, 256 // 32 * 34, 256 // 32 * 18
"""Bytes of a row of 256."""


def blocks(few: int, more: int, layers_of_more: int) -> int:
    """Bytes of all matrices, of which the output and, in some layers, values and ffn_down have more."""
    both = 128 + 2 * 256
    rows = 8 * (256 + 128 + 256 + 2 * 512 + both) - layers_of_more * both
    return (300 + rows) * few + (300 + layers_of_more * both) * more


# Of 8 layers, in llama.cpp's mixture the first, the last, and each third one between them have more bits.
@pytest.mark.parametrize(
    ("mixture", "size"),
    [
        ("F32", blocks(1024, 1024, 0)),
        ("Q8_0", blocks(Q8_0, Q8_0, 0)),
        ("Q4_0", blocks(Q4_0, Q4_0, 0)),
        ("Q4_K_M", blocks(Q4_K, Q6_K, 4)),
    ],
)
def test_file(tmp_path: Path, mixture: str, size: int) -> None:
    paths = [tmp_path / "a", tmp_path / "b"]
    for path in paths:
        write_model(path, SMALL, mixture)
    data = paths[0].read_bytes()
    assert data == paths[1].read_bytes()
    entries = gguf_metadata(data)
    assert entries["llama.block_count"] == 8
    tokens = entries["tokenizer.ggml.tokens"]
    assert isinstance(tokens, list)
    assert len(tokens) == len(set(tokens)) == 300
    norms = (2 * 8 + 1) * 256 * 4
    head = len(data) - size - norms
    assert 0 < head < 20_000


def test_rows_that_are_no_whole_blocks(tmp_path: Path) -> None:
    """Of 288 columns, K types have no whole blocks: then Q5_0 has the place of Q4_K, Q8_0 that of Q6_K."""
    shape = Shape(dim=288, hidden=512, layers=1, heads=4, kv_heads=4, vocabulary=300, context=64)
    q5_0, q8_0, q6_k = 288 // 32 * 22, 288 // 32 * 34, 512 // 256 * 210
    for mixture, size in (
        ("Q4_K_M", (3 * 288 + 2 * 512 + 300) * q5_0 + (288 + 300) * q8_0 + 288 * q6_k),
        ("Q6_K", (4 * 288 + 2 * 512 + 2 * 300) * q8_0 + 288 * q6_k),
    ):
        write_model(tmp_path / "m", shape, mixture)
        head = (tmp_path / "m").stat().st_size - size - 3 * 288 * 4
        assert 0 < head < 20_000


def test_wrong_arguments() -> None:
    for arguments in (
        [],
        ["file=x"],
        ["file=x", "type=Q2_K"],
        ["file=x", "type=Q8_0", "more=1"],
        ["file=x", "type=Q8_0", "size=1B"],
    ):
        with pytest.raises(SyntheticModelError, match="it takes file=FILE, type="):
            main(arguments)
