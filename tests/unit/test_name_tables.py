"""Tables of names from which some are left out."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from bareflow.name_tables import NameTableError, shorten_names
from bareflow.trimming import NameTable
from trim_tools import ParsedObject, compiled, linked

SOURCE = """
#include <stdio.h>
static const char names[] = "none\\0x.add\\0z.add\\0z.sub\\0x.mul";
static const unsigned offsets[] = {0, 5, 11, 17, 23};
int main(void) {
    for (volatile int i = 0; i < 5; i++)
        puts(names + offsets[i]);
}
"""
TABLE = NameTable("a.o", ".rodata.names", ".rodata.offsets", r"z\..*")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return compiled(tmp_path, "a.c", SOURCE)


def output(path: Path, name: str) -> list[str]:
    program, _ = linked(path.parent, [path], name=name)
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()


def test_unwanted_names_read_as_the_first(plain: Path) -> None:
    assert output(plain, "before") == ["none", "x.add", "z.add", "z.sub", "x.mul"]
    plain.write_bytes(shorten_names(plain.read_bytes(), TABLE))
    assert output(plain, "after") == ["none", "x.add", "none", "none", "x.mul"]
    assert ParsedObject(plain).contents(".rodata.names") == b"none\0x.add\0x.mul\0"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"names": ".rodata.none"}, r"no section \.rodata\.none"),
        ({"offsets": ".rodata.none"}, r"no section \.rodata\.none"),
        ({"unwanted": "y.*"}, r"no names y"),
    ],
)
def test_table_that_is_not_there(plain: Path, change: dict[str, str], message: str) -> None:
    with pytest.raises(NameTableError, match=message):
        shorten_names(plain.read_bytes(), replace(TABLE, **change))


def test_reference_into_the_names(tmp_path: Path) -> None:
    source = SOURCE.replace("puts(names + offsets[i])", "puts(names + offsets[i]), puts(names + 11)")
    path = compiled(tmp_path, "a.c", source)
    with pytest.raises(NameTableError, match=r"refers into \.rodata\.names"):
        shorten_names(path.read_bytes(), TABLE)
