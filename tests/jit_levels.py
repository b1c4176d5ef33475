"""The same tokens and logits on every level: whatever is interpreted or compiled, and how."""

from __future__ import annotations

from collections.abc import Callable

STEPS = 4

O0: dict[str, object] = {"jit.tier0": "O0", "jit.max_level": "O0"}


def compiled(level: str, thresholds: str, **settings: str) -> dict[str, object]:
    """Functions are compiled for O0, then for the highest level of which they have made so many calls."""
    return {
        "jit.tier0": "O0",
        "jit.budget": "100",
        "jit.max_level": level,
        "jit.thresholds": thresholds,
        **settings,
    }


# From O2 on a function goes there from O0 directly, at its third call: each level has a run of its own.
LEVELS: dict[str, dict[str, object]] = {
    "interpreted": {"jit.max_level": "interpreter"},
    "O1": compiled("O1", "1,2,2,2"),
    "O2": compiled("O2", "1,3,3,3"),
    "O2 general": compiled("O2", "1,3,3,3", **{"jit.specialise": "off"}),
    "O3": compiled("O3", "1,3,3,3"),
}


def check_same_bits(record: Callable[[dict[str, object]], tuple[bytes, bytes]]) -> None:
    """A story on each level, and at O0: all leave the same files, which `record` returns of a run with these
    settings: the tokens' ids and the logits."""
    expected = record({"steps": STEPS, **O0})
    assert len(expected[0].split()) == STEPS
    others = {name: record({"steps": STEPS, **settings}) for name, settings in LEVELS.items()}
    assert [name for name, files in others.items() if files != expected] == []
