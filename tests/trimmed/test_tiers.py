"""The trimmed image still climbs to the highest level, and the next boot on its disk begins there."""

from __future__ import annotations

import warnings
from typing import Any

from bareflow.trim.misses import missed_functions
from fixture_types import Disk, ModelImage, Tell
from profile_tools import read_cache, read_profile

LIMIT = 300.0
STORY: dict[str, object] = {
    "prompt": "Once upon a time",
    "steps": 40,
    "jit.thresholds": "10,100,1000,2000",  # the usual ones, but for O3's
    "jit.budget": 100,
}
BOOTS = 2


def test_highest_level_and_next_boot(tell: Tell, disk: Disk, model_image: ModelImage) -> None:
    copy = disk(model_image("default"))
    boots: list[Any] = []
    profiles = []
    for _ in range(BOOTS):
        boots.append(tell(copy, STORY, snapshot=False, memory=256, timeout=LIMIT))
        profiles.append(read_profile(copy))
    first, second = boots
    # A function may be missing; then what was to be compiled with it stays as it is.
    traps = [event for event in first.events if event["event"] == "trap"]
    assert all(event["recovered"] for event in traps)
    missed = missed_functions([copy.path])
    assert {event["name"] for event in traps} <= set(missed)
    if missed:
        warnings.warn(f"this called removed functions: {missed}", stacklevel=1)

    tiers = [event for event in first.events if event["event"] == "tier"]
    assert {event["level"] for event in tiers} >= {"O0", "O2", "O3"}
    assert any(event["specialised"] for event in tiers if event["level"] == "O3")
    costs = first.event("jit")
    assert costs["compiled"] > 10 and costs["failed"] == len(traps) and costs["from_cache"] == 0

    assert second.text == first.text
    costs = second.event("jit")
    assert costs["from_cache"] > 10 and costs["compiled"] == 0 and costs["failed"] <= len(traps)
    assert any(cached.level == 4 for cached in read_cache(copy).values())

    one, two = profiles
    assert (one.boots, two.boots) == (1, 2)
    # Not twice as many of each: what a later version has inlined is not counted.
    assert all(two.calls[name] >= calls for name, calls in one.calls.items())
    assert sum(two.calls.values()) > sum(one.calls.values()) > 0
