"""Fixtures of the held-out runs; says how many removed functions they have called, and leaves names for
misses=."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from bareflow.coverage.coverage_file import read_coverage
from bareflow.coverage.guest_coverage import linked_program
from bareflow.trim.misses import ran_untrimmed
from fixture_types import Boot, Disk
from held_out import Check, HeldOut

LIST = "held-out-misses.txt"
KEPT = "bareflow.misses.txt"
"""What this image keeps because of an earlier list."""


@pytest.fixture(scope="session")
def full_only(build_dir: Path) -> Callable[[Path], set[str]]:
    """Of a disk on which the full image ran, the functions that this one was not to have."""

    def ran(disk: Path) -> set[str]:
        full = build_dir.parent / "full"
        program = linked_program(*(full / f"bareflow.{kind}" for kind in ("elf", "map", "krn")))
        coverage = read_coverage((build_dir / "coverage.txt").read_text(), "coverage.txt")
        return ran_untrimmed(disk, program, coverage)

    return ran


@pytest.fixture
def check(
    request: pytest.FixtureRequest,
    boot: Boot,
    disk: Disk,
    build_dir: Path,
    full_only: Callable[[Path], set[str]],
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> Check:
    """Checks a held-out run."""
    held_out = HeldOut(boot, disk, lambda: request.getfixturevalue("model_image"), build_dir)
    return Check(held_out, full_only, tmp_path, record_property)


def run_of(node: str) -> str:
    """The held-out run's name."""
    return node.partition("[")[2].rstrip("]")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [report for kind in ("passed", "failed") for report in terminalreporter.stats.get(kind, [])]
    held_out = [report for report in reports if "test_held_out_" in report.nodeid]
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
    if build := os.environ.get("BAREFLOW_TRIMMED_BUILD"):
        kept = Path(build, KEPT).read_text().split()
        path = Path(build, LIST)
        path.write_text("".join(f"{name}\n" for name in sorted({*kept, *missed, *needed})))
        terminalreporter.line(f"{path} is for misses=: what full ran in these runs, and what is kept already")
