"""From COVERAGE.BIN to names: an ELF and a map made by hand, bits laid out by hand."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from bareflow.coverage.coverage_file import CoverageError, CoveredFunction
from bareflow.coverage.guest_coverage import (
    COVERAGE_PATH,
    LinkedProgram,
    Recording,
    merge_application,
    parse,
    read_recording,
    summary,
)
from bareflow.coverage.translated import CodeRange, TranslatedCode
from bareflow.disk.fat_image import build_image
from bareflow.trim.misses import ran_untrimmed
from elf_tools import link

STAGE1 = bytes(510) + b"\x55\xaa"
BUILD = "00112233445566778899aabbccddeeff"

# Places in the table: 0 first (sized), 1 unsized, 2 second and its alias (sized), 3 third (sized).
SOURCE = """
section .text
global first:function (first.end - first)
first: times 4 nop
.end:
unsized: times 4 nop
global second:function (second_end - second)
global alias:function (second_end - second)
second:
alias: times 8 nop
second_end equ $
third: times 16 nop
global start
start: nop
"""

# As lld writes it; the address of the third function's section, 0x100010, is what SOURCE makes of it.
MAP = """\
             VMA              LMA     Size Align Out     In      Symbol
          100000           100000       31    16 .text
          100000           100000        8    16         libA.a(one.o):(.text.first)
          100000           100000        4     1                 first
          100008           100008        8    16         /somewhere/libA.a(two.o):(.text.second)
          100010           100010       21    16         obj/third.o:(.text)
"""


def coverage_bin(
    build: str = BUILD, count: int = 5, order: tuple[int, ...] = (2, 0), names: bytes = b"+main\n-spare\n"
) -> bytes:
    bits = bytearray((count + 7) // 8)
    for place in order:
        bits[place // 8] |= 1 << place % 8
    head = struct.pack("<8s32s4I", b"BFCOVER1", build.encode(), 3, count, len(order), len(names))
    data = head + bytes(bits) + struct.pack(f"<{len(order)}I", *order) + names
    return data + struct.pack("<I", zlib.crc32(data))


@pytest.fixture
def program(tmp_path: Path) -> LinkedProgram:
    return LinkedProgram(link(tmp_path, SOURCE).read_bytes(), MAP.splitlines(), BUILD)


def test_parse() -> None:
    assert parse(coverage_bin(), "x") == Recording(BUILD, 3, 5, (2, 0), {"main": True, "spare": False})


def test_places_become_names(program: LinkedProgram) -> None:
    assert sorted(program.covered(parse(coverage_bin(), "x"), "x")) == [
        CoveredFunction("libA.a(one.o)", ".text.first", "first", True, 2),
        CoveredFunction("libA.a(two.o)", ".text.second", "alias", True, 1),
        CoveredFunction("libA.a(two.o)", ".text.second", "second", True, 1),
    ]  # nothing of what has no size


# The same, longer.
LONG = """
section .text
global first:function (first.end - first)
first: times 64 nop
.end:
global second:function (second.end - second)
global never:function (never.end - never)
second: times 64 nop
.end:
never: times 64 nop
.end:
global start
start: nop
"""
LONG_MAP = """\
          100000           100000       c1    16 .text
          100000           100000       40    16         libA.a(one.o):(.text.first)
          100040           100040       40    16         obj/two.o:(.text.second)
          100080           100080       40    16         libA.a(one.o):(.text.never)
"""


def test_what_was_not_translated(tmp_path: Path) -> None:
    """It is said of functions that ran, in objects that are known."""
    program = LinkedProgram(link(tmp_path, LONG).read_bytes(), LONG_MAP.splitlines(), BUILD)
    assert program.code == CodeRange(0x100000, 193)
    ran = Recording(BUILD, 1, 4, (0, 1), {})
    translated = TranslatedCode(program.code, [0b1111 << 8, 1 << 40])
    found = program.covered(ran, "x", translated, {"libA.a(one.o)": 0xABC})
    assert {function.symbol: (function.unused, function.object_crc) for function in found} == {
        "first": (((12, 40), (41, 64)), 0xABC),
        "second": ((), 0),
        "never": ((), 0),
    }
    assert all(not function.unused for function in program.covered(ran, "x"))


def test_another_build_is_refused(program: LinkedProgram) -> None:
    recording = parse(coverage_bin(build="f" * 32), "old.img")
    with pytest.raises(CoverageError, match=f"coverage of old.img is of build f{{32}}, but this is {BUILD}"):
        program.covered(recording, "old.img")


def test_other_functions_are_refused(program: LinkedProgram) -> None:
    with pytest.raises(CoverageError, match="has 6 functions, the kernel 5"):
        program.covered(parse(coverage_bin(count=6), "x"), "x")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "holds no"),
        (coverage_bin()[:50], "holds no"),
        (b"XX" + coverage_bin()[2:], "holds no"),
        (coverage_bin()[:-1] + b"\0", "is damaged"),
        (coverage_bin()[:60] + b"\xff" + coverage_bin()[61:], "is damaged"),
    ],
)
def test_damaged(data: bytes, message: str) -> None:
    with pytest.raises(CoverageError, match=message):
        parse(data, "x")


def sealed(data: bytes) -> bytes:
    return data + struct.pack("<I", zlib.crc32(data))


def test_contradictions() -> None:
    good = coverage_bin()[:-4]
    with pytest.raises(CoverageError, match="has other parts"):
        parse(sealed(good + b"x"), "x")
    with pytest.raises(CoverageError, match="contradicts itself"):
        parse(sealed(good[:56] + b"\x07" + good[57:]), "x")


def test_out_of_an_image(tmp_path: Path) -> None:
    image = tmp_path / "disk.img"
    build_image(image, STAGE1, bytes(4096), {COVERAGE_PATH: coverage_bin()})
    assert read_recording(image).boots == 3
    build_image(image, STAGE1, bytes(4096), {"/profile/": b""})
    with pytest.raises(CoverageError, match="did its guest run with coverage = on"):
        read_recording(image)


def test_merge_of_application() -> None:
    one = Recording(BUILD, 1, 0, (), {"main": True, "spare": False, "never": False})
    two = Recording(BUILD, 1, 0, (), {"main": False, "spare": True, "never": False})
    assert merge_application([one, two]) == {"main": True, "spare": True, "never": False}


def test_summary() -> None:
    covered = [
        CoveredFunction("libA.a(one.o)", ".text.a", "a", True),
        CoveredFunction("libA.a(two.o)", ".text.b", "b", False),
        CoveredFunction("libA.a(two.o)", ".text.c", "c", False),
        CoveredFunction("obj/main.o", ".text.d", "d", True),
    ]
    lines = summary(covered, {"story": True, "bench": False}).splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["libA.a", "1", "3", "33.3", "%"],
        ["main.o", "1", "1", "100.0", "%"],
        ["application", "(bitcode)", "1", "2", "50.0", "%"],
        ["all", "3", "6", "50.0", "%"],
    ]


def test_what_only_the_untrimmed_image_ran(program: LinkedProgram, tmp_path: Path) -> None:
    """Where its guest was that image, and less what coverage knew all of already."""
    known = [
        CoveredFunction("libA.a(one.o)", ".text.first", "first", True, 1),
        CoveredFunction("libA.a(two.o)", ".text.second", "alias", True, 2, unused=((4, 8),), object_crc=1),
    ]
    for build, found in ((BUILD, {"second", "alias"}), (BUILD[::-1], set())):
        disk = tmp_path / f"{build}.img"
        files = {COVERAGE_PATH: coverage_bin(build)}
        build_image(disk, STAGE1, bytes(512), {"/boot/BAREFLOW.KRN": b"kernel", **files})
        assert ran_untrimmed(disk, program, known) == found
    names = tmp_path / "names.txt"
    names.write_text("first\n")
    assert ran_untrimmed(names, program, known) == set()
