"""A function that is called once and does not leave its loop: the call goes on in code that is compiled
meanwhile. On the real processor."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

FIBONACCI_25 = b"75025"
ROUNDS = 400
"""Half a second in good code, and minutes in the interpreter."""


def run(build_dir: Path, root: Path, *settings: str, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """The events of a run that has computed the number as often as it was told."""
    program = build_dir.parent / "apps/library/full/linux/bareflow"
    (root / "profile").mkdir(exist_ok=True)
    command: list[str | Path] = [program, f"root={root}", *settings, f"args=25 {rounds}"]
    result = subprocess.run(command, capture_output=True, timeout=120, check=True)
    assert result.stdout.splitlines() == [FIBONACCI_25] * rounds
    prefix = b"@bareflow "
    lines = [line for line in result.stderr.splitlines() if line.startswith(prefix)]
    return [json.loads(line.removeprefix(prefix)) for line in lines]


def named(events: list[dict[str, Any]], name: str) -> list[tuple[str, str]]:
    return [(event["function"], event["level"]) for event in events if event["event"] == name]


@pytest.mark.parametrize("tier0", ["interpreter", "O0"])
def test_call_goes_on_in_better_code(build_dir: Path, tmp_path: Path, tier0: str) -> None:
    events = run(build_dir, tmp_path, f"jit.tier0={tier0}")
    assert named(events, "continue") == [("run", "O2")]


def test_slow_code_that_was_left_is_not_begun_again(build_dir: Path, tmp_path: Path) -> None:
    """The disk has code of O0, and a profile that says that O2 was better: as it is when the budget has had
    room for the call that was under way alone."""
    run(build_dir, tmp_path, "jit.max_level=O0", "jit.tier0=O0", "jit.profile=off", rounds=10)
    events = run(build_dir, tmp_path, "jit.cache=off")
    assert named(events, "continue") == [("run", "O2")]
    events = run(build_dir, tmp_path)
    assert named(events, "continue") == [] and ("run", "O2") in named(events, "tier")
    events = run(build_dir, tmp_path)
    assert named(events, "continue") == [] and "run" not in dict(named(events, "tier"))


def test_next_run_begins_in_better_code(build_dir: Path, tmp_path: Path) -> None:
    events = run(build_dir, tmp_path, "jit.budget=100")
    assert named(events, "continue") == [("run", "O2")] and ("run", "O2") in named(events, "tier")
    assert named(run(build_dir, tmp_path, "jit.budget=100"), "continue") == []
