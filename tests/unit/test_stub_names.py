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
    *names, rest = table[4 + 4 * count :].split(b"\0", count)
    assert len(names) == count
    assert functions(rest, len(table)) == (0, b"")
    return {number: name.decode() for number, name in zip(ids, names, strict=True)}


def functions(rest: bytes, size: int) -> tuple[int, bytes]:
    """The table behind that: the number of functions, and the bits of those that may be removed. `size`: of
    both tables together."""
    padding = (len(rest) - size) % 4
    assert not any(rest[:padding])
    (count,) = struct.unpack_from("<I", rest, padding)
    origin, bits = rest[padding + 4 : padding + 20], rest[padding + 20 :]
    half = (count + 7) // 8
    assert not any(origin) and len(bits) == 2 * half and not any(bits[half:])
    return count, bits[:half]


def assembled(folder: Path, names: dict[int, str], count: int = 0, removable: bytes = b"") -> bytes:
    """The tables, made of their source."""
    source, binary, table = folder / "table.s", folder / "table.bin", folder / "table.o"
    source.write_text(table_source(names, count, removable))
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


def test_functions_that_may_be_removed(tmp_path: Path) -> None:
    table = assembled(tmp_path, {7: "f"}, 11, b"\x81\x05")
    assert functions(table[4 + 4 + len("f") + 1 :], len(table)) == (11, b"\x81\x05")


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
