"""Static libraries, compared with what llvm-ar and llvm-nm make of them."""

from __future__ import annotations

import io
import subprocess
from pathlib import Path

import pytest
from bareflow.kernel.archive import ArchiveError, members, replace_members
from bareflow.llvm import llvm_tool
from trim_tools import archived, compiled

LONG = "a_name_of_more_than_fifteen_characters"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    names = ["one", "two", LONG]
    objects = [compiled(tmp_path, f"{name}.c", f"int {name}(int x) {{ return x + 1; }}") for name in names]
    objects[1].write_bytes(objects[1].read_bytes() + b"\0")  # an odd size
    return archived(tmp_path, "lib.a", objects)


def printed(program: str, *arguments: object) -> str:
    command = [program, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def replaced(library: Path, names: set[str], contents: bytes) -> Path:
    """A copy of the library in which these members have other contents."""
    data = library.read_bytes()
    offsets = {member.offset for member in members(data) if member.name in names}
    output = io.BytesIO()
    replace_members(data, output, lambda offset: contents if offset in offsets else None)
    copy = library.with_name("copy.a")
    copy.write_bytes(output.getvalue())
    return copy


def test_members(library: Path, tmp_path: Path) -> None:
    data = library.read_bytes()
    found = {member.name: data[member.offset : member.offset + member.size] for member in members(data)}
    assert list(found) == printed(llvm_tool("llvm-ar"), "t", library).split()
    assert found == {name: (tmp_path / name).read_bytes() for name in ("one.o", "two.o", f"{LONG}.o")}


def test_copy_without_changes(library: Path) -> None:
    assert replaced(library, set(), b"").read_bytes() == library.read_bytes()


def test_index_follows_a_member_that_grew(library: Path, tmp_path: Path) -> None:
    """The index names the member of each symbol; with a wrong offset llvm-nm could not."""
    grown = (tmp_path / "one.o").read_bytes() + bytes(1001)
    copy = replaced(library, {"one.o"}, grown)
    index = printed(llvm_tool("llvm-nm"), "--print-armap", library).split("\n\n")[0]
    assert f"{LONG} in {LONG}.o" in index
    assert printed(llvm_tool("llvm-nm"), "--print-armap", copy).split("\n\n")[0] == index
    assert printed(llvm_tool("llvm-ar"), "t", copy) == printed(llvm_tool("llvm-ar"), "t", library)
    command = [llvm_tool("llvm-ar"), "p", str(copy), "one.o"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == grown


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda data: b"!<thin>\n" + data[8:], "no archive"),
        (lambda data: data[:-100], "cut off"),
        (lambda data: data[:66] + b"x" + data[67:], "no member's header at offset 8"),
    ],
)
def test_damage(library: Path, damage: object, message: str) -> None:
    assert callable(damage)
    with pytest.raises(ArchiveError, match=message):
        list(members(damage(library.read_bytes())))
