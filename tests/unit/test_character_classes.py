"""The table of letters, numbers and punctuation."""

import unicodedata

import pytest
from bareflow.models import character_classes
from project_files import ROOT

TABLE = ROOT / "tinyllama" / "character_classes.inc"


def test_table_is_what_the_program_makes() -> None:
    if f"Unicode {unicodedata.unidata_version}," not in TABLE.read_text():
        pytest.skip(f"this Python has Unicode {unicodedata.unidata_version}")
    assert character_classes.source() == TABLE.read_text()
