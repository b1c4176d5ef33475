"""The JIT's profile, from a disk image and from a file."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.disk.fat import FatError
from bareflow.disk.fat_image import build_image
from bareflow.disk.profile import read_profile
from test_generations import STAGE1

LEARNT = b"bareflow jit profile 1\nbuild a\n"
EXPORTED = b"bareflow jit profile 1\nbuild b\n"


def image(folder: Path, files: dict[str, bytes]) -> Path:
    path = folder / "disk.img"
    build_image(path, STAGE1, b"", {"/profile/OTHER.TXT": b"x", **files})
    return path


def test_what_the_guest_exported_with_comes_first(tmp_path: Path) -> None:
    learnt = {"/profile/JIT.PRF": LEARNT}
    assert read_profile(image(tmp_path, learnt)) == LEARNT
    assert read_profile(image(tmp_path, {**learnt, "/profile/EXPORT.PRF": EXPORTED})) == EXPORTED


def test_file(tmp_path: Path) -> None:
    path = tmp_path / "JIT.PRF"
    path.write_bytes(LEARNT)
    assert read_profile(path) == LEARNT


def test_none(tmp_path: Path) -> None:
    with pytest.raises(FatError, match="no profile on this disk"):
        read_profile(image(tmp_path, {}))
    path = tmp_path / "other"
    path.write_bytes(b"other")
    with pytest.raises(FatError, match="no BareFlow disk image"):
        read_profile(path)
