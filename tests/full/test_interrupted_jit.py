"""An NMI at any moment, in the application's code, in the interpreter and in the compiler: the report names
the function, and its callers up to app_main. On every level: tests/soak/test_interrupted_levels.py."""

from __future__ import annotations

from fixture_types import ModelImage
from interruptions import reports

STORY: dict[str, object] = {"mode": "generate", "temperature": 0}


def test_every_caller_is_named(model_image: ModelImage) -> None:
    begin = '"event":"llvm".*\n'
    found = list(reports(model_image("default"), STORY, 12, begin=begin, seconds=0.3, seed=6))
    assert [complaint for report in found for complaint in report.complaints()] == []
