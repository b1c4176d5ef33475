"""Variables that are not linked: where they seem to be, and what refers to them."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest
from bareflow.trim.removed_data import (
    DATA_ID,
    RemovedDataError,
    address_of,
    for_file,
    remove_data,
    symbol_of,
    without_constructors,
)
from bareflow.trim.trimming import RemovedData
from trim_tools import ParsedObject, compiled, linked

SOURCE = """
static const int private[] = {7, 8, 9};
const int shared[] = {1, 2, 3};
const char *const names[] = {"one", "two"};
int counters[100];
static int made;
volatile int forty = 40;
__attribute__((constructor)) static void make(void) { made = forty; }
int main(int count, char **arguments) {
    volatile int place = count - 1;
    switch (count) {
    case 1: return made;
    case 2: return shared[place];
    case 3: return private[place];
    case 4: return names[place - 2][0];
    default: return ++counters[place];
    }
}
"""
SECTIONS = [".rodata.shared", ".rodata.private", ".rodata.names", ".bss.counters"]
DECLARED = [RemovedData("a.o", section) for section in SECTIONS]


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return compiled(tmp_path, "a.c", SOURCE)


def status(program: Path, arguments: int) -> int:
    return subprocess.run([program, *["x"] * (arguments - 1)], check=False).returncode


def test_program_runs_until_it_uses_them(plain: Path) -> None:
    before, _ = linked(plain.parent, [plain], name="before")
    contents, removed = remove_data(plain.read_bytes(), "a.o", for_file(DECLARED, "a.o"))
    plain.write_bytes(contents)
    after, _ = linked(plain.parent, [plain], name="after")
    assert [status(before, count) for count in (1, 2, 3, 4, 5)] == [40, 2, 9, ord("t"), 1]
    assert [status(after, count) for count in (1, 2, 3, 4, 5)] == [40] + 4 * [-signal.SIGSEGV]
    assert [entry.id - DATA_ID for entry in removed] == [0, 1, 2, 3]
    assert removed[3].symbol == "counters" and removed[3].size == 400


def test_linked_addresses(plain: Path) -> None:
    contents, _ = remove_data(plain.read_bytes(), "a.o", for_file(DECLARED, "a.o"))
    plain.write_bytes(contents)
    program, _ = linked(plain.parent, [plain])
    addresses = ParsedObject(program).addresses()
    assert addresses["shared"] == address_of(0) and addresses["counters"] == address_of(3)
    assert address_of(0) == 2**64 - 2**29


def test_what_is_kept() -> None:
    assert for_file(DECLARED, "b.o") == {}
    assert list(for_file(DECLARED, "a.o", {"shared", "counters"})) == [1, 2]


@pytest.mark.parametrize(
    ("section", "symbol"), [(".rodata._ZL3one", "_ZL3one"), (".data.rel.ro.two", "two"), (".bss.x", "x")]
)
def test_name(section: str, symbol: str) -> None:
    assert symbol_of(RemovedData("a.o", section)) == symbol


def test_data_that_is_not_there(plain: Path) -> None:
    with pytest.raises(RemovedDataError, match=r"no section \.rodata\.none"):
        remove_data(plain.read_bytes(), "a.o", {0: RemovedData("a.o", ".rodata.none")})
    with pytest.raises(RemovedDataError, match="no section of one variable"):
        for_file([RemovedData("a.o", ".rodata")], "a.o")


def test_constructors_do_not_run_and_are_not_linked(plain: Path) -> None:
    plain.write_bytes(without_constructors(plain.read_bytes(), "a.o"))
    program, _ = linked(plain.parent, [plain])
    assert status(program, 1) == 0
    assert "make" not in ParsedObject(program).symbols()
    with pytest.raises(RemovedDataError, match="no static constructors"):
        without_constructors(compiled(plain.parent, "b.c", "int b;").read_bytes(), "b.o")
