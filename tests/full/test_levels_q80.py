"""The same bits on every level, of a quantised model."""

from __future__ import annotations

import pytest
from fixture_types import ModelImage, Record
from jit_levels import O1, O2, O2_GENERAL, check_same_bits, compiled


@pytest.mark.timeout(900)
def test_same_bits_on_every_level(record: Record, model_image: ModelImage) -> None:
    """Interpreted it takes minutes, in an emulator."""
    levels = {"O1": O1, "O2": O2, "O2 general": O2_GENERAL, "O3": compiled("O3", "1,4,4,4")}
    check_same_bits(record, model_image("q80"), levels)
