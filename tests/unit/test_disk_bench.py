"""The tables of bench_disks."""

from __future__ import annotations

from bareflow.bench.disk_cases import WAYS, Read, speed_tables


def test_the_better_turn_counts_on_each_clock() -> None:
    """17 MiB are 17.825792 MB."""
    ways = {name: [Read(1.0, 0.5), Read(0.1, 2.0)] for name in WAYS}
    ways["usb"] = [Read(1.0, 1.0), Read(2.0, 0.25)]
    processor, wall = speed_tables({17: ways})
    assert processor.splitlines()[1].split() == ["17", "MiB", *["178"] * (len(WAYS) - 1), "18"]
    assert wall.splitlines()[1].split() == ["17", "MiB", *["36"] * (len(WAYS) - 1), "71"]
