"""The same bits on every level, of a float32 model. No tests take longer than this one and that in
test_levels_q80.py: they are two files so that two workers of pytest can have them. What the one leaves to
`soak` the other has, but for O2 without clones."""

from __future__ import annotations

import pytest
from fixture_types import ModelImage, Record
from jit_levels import INTERPRETED, O1, O2, O2_GENERAL, Levels, check_same_bits, compiled

SHORT = {"interpreted": INTERPRETED, "O1": O1}
OTHERS = {"O2": O2, "O2 general": O2_GENERAL, "O3": compiled("O3", "1,2,3,4")}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("levels", [SHORT, pytest.param(OTHERS, marks=pytest.mark.soak)], ids=" ".join)
def test_same_bits_on_every_level(record: Record, model_image: ModelImage, levels: Levels) -> None:
    check_same_bits(record, model_image("v0"), levels)
