"""The tables of `./bareflow variant=full bench`: what is read out of the guests' output, and what is made of
it."""

from __future__ import annotations

import pytest
from bareflow.bench.guest_session import Session, Stamped, Time, parse
from bareflow.bench.tables import (
    LENGTHS,
    cost_rows,
    length_columns,
    length_rows,
    matmul_rows,
    render,
    size_rows,
    speed_rows,
    start_rows,
)
from bareflow.qemu.serial import Console, Text

MEBIBYTE = 1 << 20


def story(begin: float, rate: float, **costs: int) -> list[Stamped]:
    """Ten tokens; processor time passes half as fast as that on the wall."""
    first, end = Time(begin, begin / 2), Time(begin + 10 / rate, (begin + 10 / rate) / 2)
    jit = {"compiled": 0, "from_cache": 0, "cycles": 1000, "compile_cycles": 0, "profiling_cycles": 0}
    memory = {"code_bytes": 0, "heap_used": 0, "heap_peak": 0}
    generate = {"tokens": 10, "tokens_per_s": rate, "first_token_cycles": 4000, "first_token_us": 2}
    return [
        (first, Console(b"> ")),
        (first, {"event": "text_begin"}),
        (first, Text(b"Once ")),
        (end, Text(b"upon")),
        (end, {"event": "text_end", "bytes": 9}),
        (end, {"event": "generate", **generate}),
        (end, {"event": "jit", **jit, **memory, **costs}),
    ]


@pytest.fixture
def slow_start() -> Session:
    ready: Stamped = (Time(1.0, 0.5), {"event": "llvm", "heap_bytes": 3 * MEBIBYTE})
    last = {"compiled": 7, "compile_cycles": 250, "profiling_cycles": 1, "heap_peak": 9 * MEBIBYTE}
    rates = [(2.0, 5.0), (4.0, 20.0), (5.0, 96.0), (6.0, 100.0)]
    stories = [item for begin, rate in rates for item in story(begin, rate, **last)]
    return parse([ready, *stories])


def test_moments_and_rates(slow_start: Session) -> None:
    assert slow_start.llvm == (1.0, 0.5)
    assert slow_start.first_token == (2.0, 1.0)
    assert slow_start.tokens == 40
    assert slow_start.generations[0].text == b"Once upon"
    assert slow_start.cycles_per_s == 2e9
    assert slow_start.final_rate == 100
    assert slow_start.final_processor_rate == pytest.approx(200)
    assert slow_start.steady == (5.0, 2.5)  # the first one within 5 %


def test_start_and_speed_rows(slow_start: Session) -> None:
    boots = {"first": [slow_start], "native": [parse(story(0.5, 125.0))]}
    assert start_rows(boots) == [
        ("power-on to LLVM ready, s", ["1.00", "-"]),
        ("   processor time, s", ["0.50", "-"]),
        ("   million cycles", ["2000", "-"]),
        ("power-on to first token, s", ["2.00", "0.50"]),
        ("   processor time, s", ["1.00", "0.25"]),
        ("   million cycles", ["4000", "1000"]),
        ("power-on to steady state, s", ["5.00", "0.50"]),
        ("   processor time, s", ["2.50", "0.25"]),
        ("   million cycles", ["10000", "1000"]),
    ]
    rows = dict(speed_rows(boots, "native"))
    assert rows["tokens/s, first text"] == ["5.0", "125.0"]
    assert rows["tokens/s, steady state"] == ["100.0", "125.0"]
    assert rows["   of native"] == ["80.0%", "100.0%"]


def test_cost_rows(slow_start: Session) -> None:
    rows = dict(cost_rows({"first": [slow_start]}))
    assert rows["tokens generated"] == ["40"]
    assert rows["functions compiled"] == ["7"]
    assert rows["compiling, share of tokens 1 to 1000"] == ["25.00%"]
    assert rows["profiling, share of tokens 1 to 1000"] == ["0.10%"]
    assert rows["compiling, share of tokens 1001 to 2000"] == ["0.00%"]
    assert rows["heap when LLVM is ready, MiB"] == ["3.0"]
    assert rows["heap at its peak, MiB"] == ["9.0"]


def test_share_of_a_part() -> None:
    """Ten tokens a story; of 1,000 cycles in all, 500 of them waiting, 40 are the second ten's compiling."""
    costs = [
        {"cycles": 2000, "compile_cycles": 700},
        {"cycles": 3000, "compile_cycles": 740, "waiting_cycles": 500, "profiling_cycles": 10},
        {"cycles": 4000, "compile_cycles": 990, "waiting_cycles": 500, "profiling_cycles": 10},
    ]
    boot = parse([item for number, cost in enumerate(costs) for item in story(number + 1, 10.0, **cost)])
    assert boot.share("compile", 0, 10) == pytest.approx(0.35)
    assert boot.share("compile", 10, 20) == pytest.approx(0.08)
    assert boot.share("compile", 10, 11) == boot.share("compile", 10, 20)
    assert boot.share("profiling", 10, 20) == pytest.approx(0.02)
    assert boot.share("compile", 20, 1000) == pytest.approx(0.25)
    assert boot.share("compile", 30, 40) == 0


def test_length_rows() -> None:
    """A pair that the machine has disturbed changes no median."""
    pairs = {length: [(50.0, 40.0), (10.0, 50.0), (60.0, 50.0)] for length in LENGTHS}
    assert length_rows(pairs) == [
        ("native, tokens/s of processor time", ["50", "50", "50"]),
        ("full, on what an earlier one left", ["50", "50", "50"]),
        ("   of native", ["1.20", "1.20", "1.20"]),
    ]
    assert length_rows(pairs, "in all")[0] == ("native, in all", ["50", "50", "50"])
    assert length_columns() == ["64 tokens", "256 tokens", "500 tokens"]


def test_matmul_rows() -> None:
    cycles = {"interpreter": 40000.0, "O3": 80.0, "native": 100.0}
    assert matmul_rows(cycles, "native") == [
        ("interpreter", ["40000", "0.00", "1.0"]),
        ("O3", ["80", "1.25", "500.0"]),
        ("native", ["100", "1.00", "400.0"]),
    ]


def test_size_rows() -> None:
    parts = {
        "a.a": {"text": MEBIBYTE, "data": MEBIBYTE},
        "b.a": {"text": 4 * MEBIBYTE},
        "c": {"text": 9},
        "d": {"text": MEBIBYTE // 8},
    }
    sizes = {"kernel_file_bytes": 5 * MEBIBYTE, "resident_bytes": 8 * MEBIBYTE, "parts": parts}
    assert size_rows(sizes, 10 * MEBIBYTE) == [
        ("disk image", ["10.00"]),
        ("kernel file", ["5.00"]),
        ("in memory", ["8.00"]),
        ("   b.a", ["4.00"]),
        ("   a.a", ["2.00"]),
        ("   2 smaller parts", ["0.13"]),
    ]


def test_render() -> None:
    lines = render("what", ["one", "two"], [("a row", ["1", "2"])]).splitlines()
    assert [line.split() for line in lines] == [["what", "one", "two"], ["a", "row", "1", "2"]]
    assert len({len(line) for line in lines}) == 1
