"""The same bits on every level, of a quantised model."""

from __future__ import annotations

import pytest
from fixture_types import ModelImage, Record
from jit_levels import O1, O2, O2_GENERAL, Levels, check_same_bits, compiled

SHORT = {"O2": O2, "O3": compiled("O3", "1,4,4,4")}
OTHERS = {"O1": O1, "O2 general": O2_GENERAL}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("levels", [SHORT, pytest.param(OTHERS, marks=pytest.mark.soak)], ids=" ".join)
def test_same_bits_on_every_level(record: Record, model_image: ModelImage, levels: Levels) -> None:
    """Interpreted it takes minutes, in an emulator."""
    check_same_bits(record, model_image("q80"), levels)
