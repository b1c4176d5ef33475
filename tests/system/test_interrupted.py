"""An NMI at any moment: the report names the function, and its callers up to app_main."""

from __future__ import annotations

from pathlib import Path

from interruptions import reports

BENCH: dict[str, object] = {"mode": "bench"}


def test_every_caller_is_named(image: Path) -> None:
    found = list(reports(image, BENCH, 12, begin="^cycles ", seconds=0.05, seed=6))
    assert [complaint for report in found for complaint in report.complaints()] == []
