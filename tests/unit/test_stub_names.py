"""The table of removed functions' names, read by a decoder of the test's own."""

from __future__ import annotations

import random
import struct
import subprocess
from pathlib import Path

import pytest
from bareflow.kernel.link_map import InputSection
from bareflow.llvm import llvm_tool
from bareflow.trim.removed import Removed, read_removed, write_removed
from bareflow.trim.stub_names import LinkedStubs, table_source


def decoded(table: bytes) -> dict[int, str]:
    """By the layout in the module's description."""
    (count,) = struct.unpack_from("<I", table)
    ids = struct.unpack_from(f"<{count}I", table, 4)
    assert list(ids) == sorted(set(ids))
    *names, rest = table[4 + 4 * count :].split(b"\0")
    assert len(names) == count and rest == b""
    return {number: name.decode() for number, name in zip(ids, names, strict=True)}


def assembled(folder: Path, names: dict[int, str]) -> bytes:
    """The table, made of its source."""
    source, binary, table = folder / "table.s", folder / "table.bin", folder / "table.o"
    source.write_text(table_source(names))
    subprocess.run(
        [llvm_tool("clang"), "-target", "x86_64-unknown-none-elf", "-c", source, "-o", table], check=True
    )
    subprocess.run(
        [llvm_tool("llvm-objcopy"), "-O", "binary", "-j", ".symbols.removed", table, binary], check=True
    )
    return binary.read_bytes()


@pytest.mark.parametrize("names", [{}, {5: "_ZN4llvm5ValueD2Ev"}, {300: "ff", 7: "f"}])
def test_few_names(tmp_path: Path, names: dict[int, str]) -> None:
    assert decoded(assembled(tmp_path, names)) == names


def test_many_names(tmp_path: Path) -> None:
    chance = random.Random(4)
    names = {
        chance.randrange(1, 10**6): "_ZN4llvm"
        + "".join(chance.choices("abcXYZ019_", k=chance.randrange(1, 400)))
        for _ in range(3000)
    }
    names |= {1: "x" * 4095, 2: "x" * 4094 + "y", 3: "x", 127: "a", 128: "b", 129: "b2", 2**31: "far"}
    assert decoded(assembled(tmp_path, names)) == names


def test_names_of_what_was_linked() -> None:
    removed = [
        Removed(1, 400, "libA.a(a.o)", ".text.f", "f"),
        Removed(1, 400, "libA.a(b.o)", ".text.f", "f"),
        Removed(2, 30, "libA.a(b.o)", ".text.g", "g"),
    ]
    sections = [
        InputSection(0x100000, 6, ".text", "libA.a(a.o)", ".text.f"),
        InputSection(0x100008, 30, ".text", "libA.a(a.o)", ".text.g"),
    ]
    stubs = LinkedStubs(sections, removed)
    assert stubs.names == {1: "f"} and stubs.addresses == {0x100000}
    assert read_removed(write_removed(removed)) == removed
