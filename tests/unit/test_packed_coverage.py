"""Coverage without names, packed and unpacked, of archives that are the same, have grown, or are others."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.coverage.coverage_file import CoverageError, CoveredFunction
from bareflow.coverage.packed_coverage import PackedCoverage, StaleCoverageError, archive_sizes, pack
from bareflow.kernel.archive import members
from bareflow.kernel.object_functions import object_functions
from trim_tools import archived, compiled

INLINE = "struct A { int grow(int n) { return n ? grow(n - 1) + 1 : 2; } };\n"
ONE = (
    INLINE
    + """
static __attribute__((noinline)) int helper(int n) { return n * 3; }
int first(int n) { A a; return a.grow(n) + helper(n); }
int second(int n) { return n + 2; }
int third(int n) { return n - 2; }
int data;
"""
)
TWO = INLINE + "int fourth(int n) { A a; return a.grow(n); }\n"
GROW = "_ZN1A4growEi"
FIRST, SECOND, THIRD, FOURTH = (f"_Z{len(name)}{name}i" for name in ("first", "second", "third", "fourth"))
HELPER = "_ZL6helperi"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    sources = {"one.cpp": ONE, "two.cpp": TWO, "three.cpp": "int unused() { return 1; }\n"}
    objects = [compiled(tmp_path, name, source) for name, source in sources.items()]
    return archived(tmp_path, "libA.a", objects)


def crc_of(library: Path, name: str) -> int:
    from zlib import crc32

    data = library.read_bytes()
    (member,) = (member for member in members(data) if member.name == name)
    return crc32(data[member.offset : member.offset + member.size])


def of(file: str, symbol: str, hit: bool, **more: object) -> CoveredFunction:
    return CoveredFunction(file, f".text.{symbol}", symbol, hit, **more)  # type: ignore[arg-type]


def test_functions_of_an_object(tmp_path: Path) -> None:
    data = compiled(tmp_path, "one.cpp", ONE).read_bytes()
    found = {function.symbol: function for function in object_functions(data)}
    assert set(found) == {FIRST, SECOND, THIRD, HELPER, GROW}
    assert found[HELPER].is_local and not found[GROW].is_local
    assert found[FIRST].section == f".text.{FIRST}"
    assert object_functions(b"BC\xc0\xde") == []


def test_what_is_packed_is_unpacked(library: Path) -> None:
    crc = crc_of(library, "one.o")
    known = [
        of("libA.a(one.o)", FIRST, True, rank=3, unused=((16, 40), (50, 1000)), object_crc=crc),
        of("libA.a(one.o)", SECOND, False),
        of("libA.a(one.o)", HELPER, True),
        of("libA.a(one.o)", GROW, True, unused=((0, 16),), object_crc=crc + 1),
        of("libA.a(two.o)", FOURTH, False),
        of("engine.o", "main", True),
    ]
    unpacked = PackedCoverage(pack(known, [library]), "x").unpacked([library])
    assert unpacked == sorted(
        [
            of("libA.a(one.o)", FIRST, True, unused=((16, 40), (50, 1000)), object_crc=crc),
            of("libA.a(one.o)", SECOND, False),
            of("libA.a(one.o)", HELPER, True),
            # Parts were those of another object. The other copy is as this one: either may be linked.
            of("libA.a(one.o)", GROW, True),
            of("libA.a(two.o)", GROW, True),
            of("libA.a(two.o)", FOURTH, False),
        ]
    )


def test_copy_of_an_object_that_is_no_archive_s(library: Path) -> None:
    """An inline function was linked from the engine: it ran, whichever object's copy is linked next time."""
    known = [of("engine.o", GROW, True), of("libA.a(two.o)", FOURTH, True)]
    unpacked = PackedCoverage(pack(known, [library]), "x").unpacked([library])
    assert unpacked == [of("libA.a(two.o)", FOURTH, True), of("libA.a(two.o)", GROW, True)]


def test_other_archives(library: Path, tmp_path: Path) -> None:
    packed = pack([of("libA.a(one.o)", FIRST, True), of("libA.a(two.o)", FOURTH, True)], [library])
    assert archive_sizes(packed, "x") == {"libA.a": library.stat().st_size}
    two = compiled(tmp_path, "two.cpp", TWO)
    other = compiled(tmp_path, "one.cpp", ONE.replace("n + 2", "n + 3"))
    with pytest.raises(StaleCoverageError, match=r"^x is the coverage of another libA.a\(one.o\)$"):
        PackedCoverage(packed, "x").unpacked([archived(tmp_path, "libA.a", [other, two])])
    library.unlink()
    with pytest.raises(StaleCoverageError, match=r"archives with libA.a\(one.o\)$"):
        PackedCoverage(packed, "x").unpacked([archived(tmp_path, "libA.a", [two])])


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x28\xb5\x2f\xfd\x00\x00\x01\x00\x00"])
def test_no_packed_coverage(data: bytes) -> None:
    with pytest.raises(CoverageError, match="x is no packed coverage of this version"):
        PackedCoverage(data, "x")
