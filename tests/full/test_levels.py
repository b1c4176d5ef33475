"""The same bits on every level, in the guest. That takes minutes under emulation: `test` has it on the real
processor (tests/linux/test_levels_on_linux.py)."""

from __future__ import annotations

import pytest
from fixture_types import ModelImage, Record
from jit_levels import check_same_bits


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", ["v0", "q80"])
def test_same_bits_on_every_level(record: Record, model_image: ModelImage, kind: str) -> None:
    check_same_bits(lambda config: record(model_image(kind), config)[1:])
