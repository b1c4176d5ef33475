"""Errors next to exact logits: the numbers, the table, and what is complained of."""

from __future__ import annotations

import math
import struct
from pathlib import Path

import pytest
from bareflow.bench.reference_errors import LLAMA_CPP, error_of, floats, largest_error, reference_bench
from bareflow.errors import BareFlowError

# Their mean is 2, their standard deviation 2, the errors are 0, 0, 1 and -1.
EXPECTED, FOUND = [0.0, 0.0, 4.0, 4.0], [0.0, 0.0, 5.0, 3.0]


def test_errors() -> None:
    assert error_of(FOUND, EXPECTED) == math.sqrt(2 / 16)
    assert largest_error(FOUND, EXPECTED) == 0.5
    assert list(floats(struct.pack("<2f", 1.5, -2.0))) == [1.5, -2.0]


def program(folder: Path, logits: bytes) -> Path:
    """A program that writes these logits whatever it is asked for."""
    path, answer = folder / "program", folder / "answer"
    answer.write_bytes(logits)
    path.write_text('#!/bin/sh\nroot="${1#root=}/profile"\necho 1 > "$root/IDS.TXT"\n')
    with path.open("a") as file:
        file.write(f'cp "{answer}" "$root/LOGITS.F32"\n')
    path.chmod(0o755)
    return path


def test_bench(tmp_path: Path) -> None:
    (tmp_path / "types-Q8_0.gguf").write_bytes(b"")
    (tmp_path / "types-Q8_0.exact.logits.f32").write_bytes(struct.pack("<4f", *EXPECTED))
    (tmp_path / "ids.txt").write_text("1 2 3\n")
    made = program(tmp_path, struct.pack("<4f", *FOUND))
    (case,) = reference_bench({"program": str(made), "references": str(tmp_path)})
    (table,), complaints = case.run()
    assert table.splitlines()[1].split() == ["types-Q8_0", "0.5000000", *["0.3535534"] * 3, "0.0112"]
    assert LLAMA_CPP["Q8_0"] == 0.0112
    assert complaints == ["Q8_0: further than llama.cpp"]


def test_no_references(tmp_path: Path) -> None:
    (case,) = reference_bench({"program": "p", "references": str(tmp_path)})
    with pytest.raises(BareFlowError, match="has no files"):
        case.run()
