"""The lines for programs (`@bareflow {json}`) that the program prints among others, where it runs on Linux or
its serial line was kept."""

import json
from typing import Any

MARK = "@bareflow "
Event = dict[str, Any]


def parse_event(line: str) -> Event | None:
    """The event in a line; None when there is none."""
    if not line.startswith(MARK):
        return None
    event: Event = json.loads(line.removeprefix(MARK))
    return event
