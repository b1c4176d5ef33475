"""The text file that says which functions ran."""

from __future__ import annotations

from dataclasses import replace

import pytest
from bareflow.coverage.coverage_file import (
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


PARTS = CoveredFunction("libA.a(b.o)", ".text.g", "g", True, 4, ((16, 44), (64, 96)), 0x1A2B3C4D)
PARTS_TEXT = "# bareflow coverage 1\n+4\tlibA.a(b.o)\t.text.g\tg\t1a2b3c4d 10-2c 40-60\n"


def test_parts_that_did_not_run() -> None:
    assert write_coverage([PARTS]) == PARTS_TEXT
    assert read_coverage(PARTS_TEXT, "x.txt") == [PARTS]


@pytest.mark.parametrize(
    ("other", "unused"),
    [
        (replace(PARTS, unused=((0, 20), (30, 70), (90, 200))), ((16, 20), (30, 44), (64, 70), (90, 96))),
        (replace(PARTS, unused=((0, 16), (96, 100))), ()),
        (replace(PARTS, unused=(), object_crc=0), ()),
        (replace(PARTS, object_crc=1), ()),
        (replace(PARTS, hit=False, rank=0, unused=(), object_crc=0), PARTS.unused),
    ],
    ids=["overlapping", "apart", "unknown in the other", "of another object", "did not run in the other"],
)
def test_parts_did_not_run_if_in_no_run(other: CoveredFunction, unused: object) -> None:
    for files in ([[PARTS], [other]], [[other], [PARTS]]):
        (merged,) = merge_coverage(files)
        assert merged.hit and merged.rank == 4 and merged.unused == unused


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
        (PARTS_TEXT.replace("\t1a2b3c4d", "\t1a2b"), "x.txt, line 2: not"),
        (PARTS_TEXT.replace(" 40-60", " 40"), "x.txt, line 2: not"),
        (PARTS_TEXT.replace(" 10-2c 40-60", ""), "x.txt, line 2: not"),
    ],
)
def test_bad_files(text: str, message: str) -> None:
    with pytest.raises(CoverageError, match=message):
        read_coverage(text, "x.txt")
