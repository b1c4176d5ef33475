"""The table of removed functions' names, read by a decoder of the test's own."""

from __future__ import annotations

import random
import struct
import subprocess
from pathlib import Path

from bareflow.kernel.link_map import InputSection
from bareflow.llvm import llvm_tool
from bareflow.trim.removed import Removed, read_removed, write_removed
from bareflow.trim.stub_names import LinkedStubs, encode, table_source
from lz4_reference import unpack


def decoded(table: bytes) -> dict[int, str]:
    """By the layout in the module's description."""
    count, size = struct.unpack_from("<II", table)
    assert len(table) == 8 + size
    plain = unpack(table[8:])
    names: dict[int, str] = {}
    at, number, name = 0, 0, b""
    while at < len(plain):
        shift = 0
        while True:
            number += (plain[at] & 0x7F) << shift
            shift += 7
            at += 1
            if plain[at - 1] < 0x80:
                break
        common = plain[at]
        end = plain.index(b"\0", at + 1)
        name = name[:common] + plain[at + 1 : end]
        names[number] = name.decode()
        at = end + 1
    assert len(names) == count
    return names


def test_one_name() -> None:
    assert decoded(encode({5: "_ZN4llvm5ValueD2Ev"})) == {5: "_ZN4llvm5ValueD2Ev"}


def test_no_names() -> None:
    assert decoded(encode({})) == {}


def test_many_names() -> None:
    chance = random.Random(4)
    names = {
        chance.randrange(1, 10**6): "_ZN4llvm"
        + "".join(chance.choices("abcXYZ019_", k=chance.randrange(1, 400)))
        for _ in range(3000)
    }
    names |= {1: "x" * 4095, 2: "x" * 4094 + "y", 3: "x", 127: "a", 128: "b", 129: "b2", 2**31: "far"}
    assert decoded(encode(names)) == names


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


def test_source_assembles_to_the_table(tmp_path: Path) -> None:
    names = {7: "f", 300: "ff"}
    source, binary, table = tmp_path / "table.s", tmp_path / "table.bin", tmp_path / "table.o"
    source.write_text(table_source(names))
    subprocess.run(
        [llvm_tool("clang"), "-target", "x86_64-unknown-none-elf", "-c", source, "-o", table], check=True
    )
    subprocess.run(
        [llvm_tool("llvm-objcopy"), "-O", "binary", "-j", ".symbols.removed", table, binary], check=True
    )
    assert decoded(binary.read_bytes()) == names
