"""Held-out runs (held_out.py): other models."""

from __future__ import annotations

import pytest
from held_out import Check, Run, runs


@pytest.mark.timeout(900)
@pytest.mark.parametrize("run", runs("model"), ids=lambda run: run.name)
def test_as_full(check: Check, run: Run) -> None:
    check(run)
