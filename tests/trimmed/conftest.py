"""Says how many removed functions the held-out runs have called, and leaves names for misses=."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

LIST = "held-out-misses.txt"
KEPT = "bareflow.trim.misses.txt"
"""What this image keeps because of an earlier list."""


def run_of(node: str) -> str:
    """The held-out run's name."""
    return node.partition("[")[2].rstrip("]")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    held_out = [report for report in reports if "test_held_out.py" in report.nodeid]
    if not held_out:
        return
    said = [(report.nodeid, name, value) for report in held_out for name, value in report.user_properties]
    missed = {function: run for run, name, value in said if name == "missed" for function in value}
    needed = {function for _, name, value in said if name == "needed" for function in value}
    fell_back = [run_of(run) for run, name, value in said if name == "fell_back" and value > 0]
    terminalreporter.section("removed functions that held-out runs called")
    terminalreporter.line(
        f"{len(missed)} in {len(held_out)} runs; that went on with the full kernel: {fell_back or 'none'}"
    )
    for name, run in missed.items():
        terminalreporter.line(f"{name} ({run_of(run)})")
    if build := os.environ.get("BAREFLOW_BUILD"):
        kept = Path(build, KEPT).read_text().split()
        path = Path(build, LIST)
        path.write_text("".join(f"{name}\n" for name in sorted({*kept, *missed, *needed})))
        terminalreporter.line(f"{path} is for misses=: what full ran in these runs, and what is kept already")
