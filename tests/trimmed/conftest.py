"""Says how many removed functions the tests have called."""

from __future__ import annotations

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    held_out = [report for report in reports if "test_held_out.py" in report.nodeid]
    if not held_out:
        return
    missed = {
        value: report.nodeid
        for report in held_out
        for name, value in report.user_properties
        if name == "missed"
    }
    terminalreporter.section("removed functions that held-out runs called")
    terminalreporter.line(f"{len(missed)} in {len(held_out)} runs")
    for name, run in missed.items():
        terminalreporter.line(f"{name} ({run.partition('[')[2].rstrip(']')})")
