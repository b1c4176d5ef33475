"""The same tokens and logits on every level: whatever is interpreted or compiled, and how."""

from __future__ import annotations

from pathlib import Path

from fixture_types import Record

STEPS = 4

Levels = dict[str, dict[str, str]]
"""Settings, by what they are called."""

INTERPRETED = {"jit.max_level": "interpreter"}
O0 = {"jit.tier0": "O0", "jit.max_level": "O0"}


def compiled(level: str, thresholds: str, **settings: str) -> dict[str, str]:
    """Functions are compiled for O0, then for the highest level of which they have made so many calls."""
    return {
        "jit.tier0": "O0",
        "jit.budget": "100",
        "jit.max_level": level,
        "jit.thresholds": thresholds,
        **settings,
    }


# At its third call a function goes from O0 to O2 directly: O1 has a run of its own.
O1 = compiled("O1", "1,2,2,2")
O2 = compiled("O2", "1,3,3,3")
O2_GENERAL = compiled("O2", "1,3,3,3", **{"jit.specialise": "off"})


def check_same_bits(record: Record, image: Path, levels: Levels) -> None:
    """A story with each of these settings, and at O0: all leave the same files."""
    _, *expected = record(image, {"steps": STEPS, **O0})
    assert len(expected[0].split()) == STEPS
    others = {name: record(image, {"steps": STEPS, **settings}) for name, settings in levels.items()}
    assert [name for name, (_, *files) in others.items() if files != expected] == []
