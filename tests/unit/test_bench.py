"""The table of `bench platform=linux`: what is read out of the program's output."""

from __future__ import annotations

import pytest
from bareflow.bench.vector_widths import BenchError, Run, parse_output

EVENTS = b"""@bareflow {"event":"text_begin"}
@bareflow {"event":"text_end","bytes":17}
@bareflow {"event":"generate","tokens":5,"tokens_per_s":123.45}
"""


def test_speed_and_text() -> None:
    text = b"Once upon\n a time"
    assert parse_output(text, EVENTS) == Run(tokens_per_s=123.45, tokens=5, text=text)


def test_the_program_s_complaint_is_passed_on() -> None:
    with pytest.raises(BenchError, match="error: this CPU has no AVX-512"):
        parse_output(b"error: this CPU has no AVX-512\n", b"")


def test_silence_is_an_error() -> None:
    with pytest.raises(BenchError, match="reported no speed"):
        parse_output(b"text", b"")
