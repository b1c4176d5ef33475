"""A published model, Gemma 3 270M (Q4_K_M): logits and texts next to a reference, and the same bits on Linux
and in the virtual machine. Slow: `./bareflow real model=gemma3-270m`."""

from __future__ import annotations

import array
import json
import math
from pathlib import Path
from typing import Any

import pytest
from bareflow.bench.linux_session import make_root, record
from bareflow.models.user_cache import user_cache
from bareflow.run import run as run_image

VOCABULARY = 262144
LLAMA_CPP = {"The capital": 0.0416, "Once upon a": 0.0408, "def fib(n):": 0.0758, "Q: What is": 0.0829}
"""How far llama.cpp is from the reference, by the prompt's beginning: it rounds activations, too."""
FEW = 7
"""Positions whose logits fit the room that an image has for them."""


@pytest.fixture(scope="module")
def references(models: Path) -> list[dict[str, Any]]:
    path = models.parent / "gguf" / "gemma-3-270m-q4_k_m.reference.json"
    if not path.is_file():
        pytest.skip("this compares with another program's logits of the model, which are not here")
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_root(tmp_path_factory.mktemp("root"), user_cache() / "models" / "gemma3-270m.gguf")


def rows(logits: bytes) -> list[array.array[float]]:
    """The logits of each position."""
    size = 4 * VOCABULARY
    return [array.array("f", logits[at : at + size]) for at in range(0, len(logits), size)]


def deviation(row: array.array[float]) -> float:
    mean = math.fsum(row) / len(row)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in row) / len(row))


def config(ids: list[int]) -> dict[str, object]:
    return {"prompt_ids": ",".join(map(str, ids)), "steps": len(ids)}


@pytest.mark.parametrize("prompt", LLAMA_CPP)
def test_logits_and_texts(
    linux_program: Path, root: Path, references: list[dict[str, Any]], prompt: str
) -> None:
    (reference,) = (entry for entry in references if entry["prompt"].startswith(prompt))
    ids = reference["prompt_ids"] + reference["ids"]
    found = rows(record(linux_program, root, config(ids))[1])
    errors = []
    for position, best in enumerate(reference["top5"]):
        row = found[position]
        scale = deviation(row)
        off = [abs(row[token] - value) for token, value in best]
        errors += [distance / scale for distance in off]
        # The likeliest token is the reference's where its lead is larger than what both are off.
        (first, lead), (_, second) = best[:2]
        if lead - second > 2 * max(off):
            assert max(range(VOCABULARY), key=row.__getitem__) == first
    error = math.sqrt(math.fsum(error**2 for error in errors) / len(errors))
    print(f"{prompt}: error {error:.4f}, llama.cpp's {LLAMA_CPP[prompt]}")
    assert error <= LLAMA_CPP[prompt]


def test_same_bits_everywhere(
    linux_program: Path, image: Path, root: Path, references: list[dict[str, Any]], tmp_path: Path
) -> None:
    settings = {**config(references[0]["prompt_ids"]), "steps": FEW}
    flags = Path("/proc/cpuinfo").read_text().split()
    widths = {"sse2": "sse2", "avx2": "avx2", "avx512": "avx512_vnni"}
    found = {
        record(linux_program, root, {**settings, "vector": width})
        for width, flag in widths.items()
        if flag in flags
    }
    files = {key: tmp_path / key for key in ("ids", "logits")}
    given = {"image": image, "temperature": 0, **settings, **files}
    assert run_image.main([f"{key}={value}" for key, value in given.items()]) == 0
    found.add((files["ids"].read_bytes(), files["logits"].read_bytes()))
    assert len(found) == 1
