"""The tables of `./bareflow platform=linux variant=full bench`, and the model that it makes up."""

from __future__ import annotations

import array
import struct
import sys
from pathlib import Path

import pytest
from bareflow.bench.linux_cases import (
    AGAIN,
    FIRST,
    HOST,
    NATIVE,
    OTHER_MODEL,
    SSE2,
    Column,
    Model,
    complaints,
    make_other,
    model_rows,
    product_rows,
    speed_rows,
)
from bareflow.bench.linux_session import Generations, LinuxRunError, processor_rate
from bareflow.events import parse_event
from bareflow.models.synthetic_model import GROUP, HEADER_BYTES, random_checkpoint

BITS = (b"1 2\n", b"logits")


def column(rate: float, cycles: float, *, compiled: int = 0, bits: tuple[bytes, bytes] = BITS) -> Column:
    told = Generations([rate / 10, rate, rate / 2], [{"event": "jit", "compiled": compiled}])
    return Column(Path("program"), {}, [told, told], {"qkv": cycles}, {bits})


@pytest.fixture
def columns() -> dict[str, Column]:
    return {
        SSE2: column(100, 1200),
        NATIVE: column(200, 600),
        HOST: column(160, 500),
        FIRST: column(240, 480, compiled=7),
        AGAIN: column(250, 400),
    }


def test_speeds(columns: dict[str, Column]) -> None:
    found = dict(speed_rows(columns))
    assert found["tokens/s, first text"] == ["10", "20", "16", "24", "25"]
    assert found["tokens/s, steady state"] == ["100", "200", "160", "240", "250"]
    assert found[f"   of {SSE2}"] == ["1.00", "2.00", "1.60", "2.40", "2.50"]
    assert found[f"   of {HOST}"] == ["0.62", "1.25", "1.00", "1.50", "1.56"]


def test_products(columns: dict[str, Column]) -> None:
    assert product_rows(columns) == [
        ("qkv", ["1200", "600", "500", "480", "400"]),
        (f"   {SSE2} / it", ["1.00", "2.00", "2.40", "2.50", "3.00"]),
    ]


def test_complaints(columns: dict[str, Column]) -> None:
    assert complaints(columns) == []
    columns[HOST] = column(160, 500, bits=(b"1 3\n", b"logits"))
    columns[AGAIN] = column(250, 400, compiled=2)
    assert complaints(columns) == [
        f"{HOST} gives other bits than {NATIVE}",
        "a second run compiled 2 functions",
    ]


def test_shapes() -> None:
    def tier(function: str, reason: str) -> dict[str, str]:
        return {"event": "tier", "function": function, "reason": reason}

    events = [tier("attend", "calls"), tier("matmul", "new arguments")]
    told = Generations(events=events)
    model = Model("other", {"qkv": 300.0}, {"qkv": 200.0}, {"qkv": 250.0}, told, same_bits=True)
    assert model.compiled_again == ["matmul"]
    assert model_rows([model]) == [("other: qkv", ["300", "200", "1.50", "250"])]


SPENDS_TIME = """#!{python}
import sys, time
stories = sys.stdin.read().count("Once")
while time.process_time() < 0.2 + stories * 0.02:
    pass
for _ in range(stories - {lost}):
    print('@bareflow {{"event":"generate","tokens":100}}', file=sys.stderr)
"""


def spends_time(path: Path, *, lost: int = 0) -> Path:
    """A program that takes 0.2 s of processor time, and 0.02 s for each story of 100 tokens."""
    path.write_text(SPENDS_TIME.format(python=sys.executable, lost=lost))
    path.chmod(0o755)
    return path


def test_rate_by_processor_time(tmp_path: Path) -> None:
    program = spends_time(tmp_path / "program")
    rate = processor_rate(program, tmp_path, {}, "Once upon", 5, 30)
    assert 4000 < rate < 6000  # 30 stories alone: 3750, with the start


def test_rate_without_all_stories(tmp_path: Path) -> None:
    program = spends_time(tmp_path / "program", lost=1)
    with pytest.raises(LinuxRunError):
        processor_rate(program, tmp_path, {}, "Once upon", 1, 2)


def test_events() -> None:
    assert parse_event('@bareflow {"event":"jit"}\n') == {"event": "jit"}
    assert parse_event("Once upon\n") is None


@pytest.mark.parametrize(
    ("header", "bytes_each"), [(struct.pack("<2i", 64, 172), 4), (struct.pack("<Ii", 0x616B3432, 2), 1)]
)
def test_the_other_model_has_weights_of_the_same_kind(tmp_path: Path, header: bytes, bytes_each: int) -> None:
    given = tmp_path / "given.bin"
    given.write_bytes(header)
    model, words = make_other(given, tmp_path)
    size = model.stat().st_size
    assert OTHER_MODEL.matrices * bytes_each < size < OTHER_MODEL.matrices * (bytes_each + 1.5)
    assert words.is_file()


def test_scales_of_random_weights_are_behind_each_tensor() -> None:
    """Else the scales would be bytes of weights, and most models not a number."""
    config = OTHER_MODEL
    data = random_checkpoint("v2", config, seed=1)
    at = HEADER_BYTES + 4 * config.norms
    for size in config.tensors:
        scales = array.array("f", data[at + size : at + size + size // GROUP * 4])
        assert max(map(abs, scales)) <= 0.3 / 127
        at += size + size // GROUP * 4
    assert at == len(data)
