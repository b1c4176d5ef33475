"""A GGUF model in the image with the JIT: the bits that native gives."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from disk_tools import DiskImage
from fixture_types import Record
from gguf_model import BITS, make_model, prompt_config


@pytest.mark.parametrize("kv", ["f16", pytest.param("f32", marks=pytest.mark.soak)])
def test_same_bits(record: Record, image: Path, tmp_path_factory: pytest.TempPathFactory, kv: str) -> None:
    disk = DiskImage.copy(image, tmp_path_factory.mktemp("gguf") / "model.img")
    disk.write("/model/model.bin", make_model("few types").file)
    _, _, logits = record(disk.path, {**prompt_config(), "vector": "sse2", "kv": kv})
    assert hashlib.sha256(logits).hexdigest() == BITS[kv]
