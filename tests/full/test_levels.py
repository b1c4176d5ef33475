"""The same bits on every level, of a float32 model. No tests take longer than this one and that in
test_levels_q80.py: they are two files so that two workers of pytest can have them."""

from __future__ import annotations

import pytest
from fixture_types import ModelImage, Record
from jit_levels import INTERPRETED, O1, O2, O2_GENERAL, check_same_bits, compiled


@pytest.mark.timeout(900)
def test_same_bits_on_every_level(record: Record, model_image: ModelImage) -> None:
    one_after_the_other = compiled("O3", "1,2,3,4")
    levels = {
        "interpreted": INTERPRETED,
        "O1": O1,
        "O2": O2,
        "O2 general": O2_GENERAL,
        "O3": one_after_the_other,
    }
    check_same_bits(record, model_image("v0"), levels)
