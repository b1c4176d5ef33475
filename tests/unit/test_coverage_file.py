"""The text file that says which functions ran."""

from __future__ import annotations

import pytest
from bareflow.coverage_file import (
    CoverageError,
    CoveredFunction,
    merge_coverage,
    read_coverage,
    write_coverage,
)

FIRST = CoveredFunction("a.o", ".text.f", "f", True, 17)
SECOND = CoveredFunction("libA.a(b.o)", ".text.g", "g", False)
TEXT = "# bareflow coverage 1\n+17\ta.o\t.text.f\tf\n-\tlibA.a(b.o)\t.text.g\tg\n"


def test_text() -> None:
    assert write_coverage([SECOND, FIRST]) == TEXT
    assert read_coverage(TEXT, "x.txt") == [FIRST, SECOND]


def test_run_without_an_order() -> None:
    text = "# bareflow coverage 1\n+\ta.o\t.text.f\tf\n"
    (function,) = read_coverage(text, "x.txt")
    assert function.hit and function.rank == 0
    assert write_coverage([function]) == text


def test_a_function_ran_if_it_did_in_any_run() -> None:
    other = [
        CoveredFunction("a.o", ".text.f", "f", True, 3),
        CoveredFunction("libA.a(b.o)", ".text.g", "g", True, 9),
        CoveredFunction("new.o", ".text", "n", False),
    ]
    assert merge_coverage([[FIRST, SECOND], other]) == other
    assert merge_coverage([other, [FIRST, SECOND]]) == other


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "its first line is not"),
        ("# bareflow coverage 2\n", "its first line is not"),
        (TEXT[:-1], "the last line is cut off"),
        (TEXT.replace("-\t", "0\t"), "x.txt, line 3: not"),
        (TEXT.replace("-\t", "-4\t"), "x.txt, line 3: not"),
        (TEXT.replace("\tf\n", "\n"), "x.txt, line 2: not"),
    ],
)
def test_bad_files(text: str, message: str) -> None:
    with pytest.raises(CoverageError, match=message):
        read_coverage(text, "x.txt")
