"""What the tests share that compare what a first and a second boot compile."""

from __future__ import annotations

from collections.abc import Iterable

from bareflow.events import Event

BY_CALLS: dict[str, object] = {
    "jit.budget": 100,
    "jit.thresholds": "10,1000,1000,1000",
    "jit.idle": "off",
}
"""By calls, and not while waiting for the prompt: then it does not depend on how busy the machine is."""


def compiled(events: Iterable[Event]) -> set[object]:
    """The functions, but for those whose loop took long: a machine that stands still may be why."""
    tiers = (event for event in events if event["event"] == "tier")
    return {event["function"] for event in tiers if event["reason"] != "a long loop"}
