"""The file of SCons's signatures on a disk that takes no more."""

from __future__ import annotations

from pathlib import Path

import pytest
import signature_file


def test_what_cannot_be_written_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "signatures.tmp").mkdir()  # in the way of the file that it writes first
    database = signature_file.open(str(tmp_path / "signatures"), "c")
    database["key"] = b"value"
    database.sync()
    database.close()
    file = tmp_path / "signatures.dblite"
    sentence = (
        f"bareflow: {file} cannot be written: Is a directory. The next build does more than it needs to.\n"
    )
    assert capsys.readouterr().err == sentence


def test_what_is_written_is_read(tmp_path: Path) -> None:
    database = signature_file.open(str(tmp_path / "signatures"), "c")
    database["key"] = b"value"
    database.close()
    assert signature_file.open(str(tmp_path / "signatures"), "r")["key"] == b"value"
