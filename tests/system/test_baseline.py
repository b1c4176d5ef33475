"""Mode bench: the table of the ahead-of-time baseline."""

from __future__ import annotations

import re

import pytest
from fixture_types import Boot, ModelImage

WORKLOADS = {"fibonacci(10)": 10, "sum_to_n(1000)": 100, "count_primes(100)": 5}  # name -> calls


@pytest.mark.parametrize("kind", ["default", "v0"])
def test_table(boot: Boot, model_image: ModelImage, kind: str) -> None:
    guest = boot(model_image(kind), config={"mode": "bench", "steps": 64, "temperature": 0})
    assert guest.wait_exit() == 0
    events = {event["name"]: event for event in guest.events if event["event"] == "bench"}
    products = {event["matrix"]: event for event in guest.events if event.get("name") == "matmul"}
    for name, calls in WORKLOADS.items():
        event = events[name]
        assert event["calls"] == calls
        assert 0 < event["min"] <= event["average"] <= event["max"]
        # The table for people has the same numbers.
        row = " +".join(str(event[column]) for column in ("calls", "average", "min", "max"))
        assert re.search(f"^{re.escape(name)} +{row}$", guest.console, re.MULTILINE)
    assert set(products) == {"qkv", "attention_out", "gate_up", "down", "classifier"}
    for matmul in products.values():
        assert matmul["rows"] % 16 == 0 and 12 <= matmul["calls"] <= 200
        assert 0 < matmul["min"] <= matmul["average"] <= matmul["max"]
    assert events["direct call"]["cycles"] < 1000
    assert 0 < events["initialisation"]["cycles"] < events["total"]["cycles"]
    assert events["model"]["tokens"] == 64
    assert events["model"]["tokens_per_s"] > 0
