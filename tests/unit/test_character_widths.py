"""The table of character widths."""

import unicodedata

import pytest
from bareflow.libc import character_widths
from project_files import ROOT

TABLE = ROOT / "kernel_lib" / "io" / "character_widths.inc"


def test_table_is_what_the_program_makes() -> None:
    if f"Unicode {unicodedata.unidata_version}," not in TABLE.read_text():
        pytest.skip(f"this Python has Unicode {unicodedata.unidata_version}")
    assert character_widths.source() == TABLE.read_text()
