"""The same bits on every level, on the real processor, of a float32 and a quantised model."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from bareflow.bench.linux_session import make_root, record
from fixture_types import ModelFiles
from jit_levels import check_same_bits


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["v0", "q80"])
def test_same_bits_on_every_level(
    linux_program: Path, model_files: ModelFiles, tmp_path: Path, kind: str
) -> None:
    def run(config: dict[str, object]) -> tuple[bytes, bytes]:
        root = Path(tempfile.mkdtemp(dir=tmp_path))  # nothing is left of the run before
        return record(linux_program, make_root(root, *model_files(kind)), config)

    check_same_bits(run)
