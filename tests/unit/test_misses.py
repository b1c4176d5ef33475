"""Names of missed functions, from the disks of guests and from text files."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.coverage.coverage_file import CoveredFunction
from bareflow.disk.fat_image import build_image
from bareflow.llvm import llvm_tool
from bareflow.trim.misses import MissesError, as_symbols, missed_functions

BOOT_SECTORS = bytes(510) + b"\x55\xaa", bytes(512)


def image(folder: Path, name: str, files: dict[str, bytes]) -> Path:
    path = folder / name
    build_image(path, *BOOT_SECTORS, {"/boot/BAREFLOW.KRN": b"kernel", "/profile/": b"", **files})
    return path


def test_names_of_all_files_once(tmp_path: Path) -> None:
    first = image(tmp_path, "first.img", {"/profile/MISSES.TXT": b"_ZN4llvm4dbgsEv\nf\n"})
    second = image(tmp_path, "second.img", {"/profile/MISSES.TXT": b"g\nf\n"})
    text = tmp_path / "names.txt"
    text.write_text("h\n\n  g\n")
    assert missed_functions([first, second, text]) == ["_ZN4llvm4dbgsEv", "f", "g", "h"]


def test_guest_that_missed_nothing(tmp_path: Path) -> None:
    assert missed_functions([image(tmp_path, "disk.img", {})]) == []
    assert missed_functions([]) == []


def test_neither_image_nor_text(tmp_path: Path) -> None:
    path = tmp_path / "kernel.krn"
    path.write_bytes(bytes(range(256)))
    with pytest.raises(MissesError, match=r"kernel\.krn is neither a disk image nor a list"):
        missed_functions([path])


def test_damaged_image(tmp_path: Path) -> None:
    path = tmp_path / "disk.img"
    path.write_bytes(bytes(510) + b"\x55\xaa" + bytes(4096))
    with pytest.raises(MissesError, match=r"disk\.img: "):
        missed_functions([path])


def test_names_of_backtraces_become_symbols() -> None:
    """A backtrace has no arguments: two functions `llvm::Value::print` are one to it. One of the others has
    no part that could have been removed."""
    parts = ((16, 32),)
    coverage = [
        CoveredFunction("a.o", ".text", "_ZN4llvm5Value5printEi", True, 1, parts),
        CoveredFunction("a.o", ".text", "_ZNK4llvm5Value5printEv", True, 2, parts),
        CoveredFunction("a.o", ".text", "_ZNK4llvm5Value5printEl", True, 3),
        CoveredFunction("a.o", ".text", "_ZN4llvm4Type5printEi", True, 4, parts),
    ]
    expected = ["_ZN4llvm5Value5printEi", "_ZNK4llvm5Value5printEv", "llvm::Value::print", "other"]
    assert as_symbols(["llvm::Value::print", "other"], coverage, llvm_tool("llvm-cxxfilt")) == expected
