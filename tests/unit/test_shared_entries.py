"""Tables whose entries are made to lead to one thing."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from bareflow.shared_entries import SharedEntriesError, share_entries
from bareflow.trimming import SharedEntries
from trim_tools import ParsedObject, compiled, linked

SOURCE = """
struct model { int width; };
static const struct model slow = {1}, fast = {4}, other = {9};
static const char name[] = "x";
const struct { const char *name; const struct model *model; } cpus[] = {
    {name, &slow}, {name + 1, &fast}, {name, &other}};
int main(int count, char **arguments) {
    return cpus[count].model->width * 10 + *cpus[count - 1].name;
}
"""
TABLE = SharedEntries("a.o", ".rodata.cpus", r"\.rodata\.(slow|fast)", "slow")
NAME = ord("x")


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    return compiled(tmp_path, "a.c", SOURCE)


def test_entries_lead_to_what_is_kept(plain: Path) -> None:
    assert run(plain, "plain") == 40 + NAME
    before = ParsedObject(plain).references(".rodata.cpus")
    plain.write_bytes(share_entries(plain.read_bytes(), TABLE))
    after = ParsedObject(plain).references(".rodata.cpus")
    assert len(after) == len(before) and after.count("slow") == 2
    assert run(plain, "shared") == 10 + NAME
    assert "fast" not in ParsedObject(plain.with_name("shared")).symbols(), "nothing refers to it"


def run(path: Path, name: str) -> int:
    """Exit status with no argument: of the second CPU."""
    program, _ = linked(path.parent, [path], name=name)
    return subprocess.run([program], check=False).returncode


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kept": "nobody"}, "0 symbols nobody, not one"),
        ({"table": ".rodata.none"}, r"no table \.rodata\.none"),
        ({"entries": r"\.text\..*"}, "no table"),
    ],
)
def test_table_that_is_not_there(plain: Path, change: dict[str, str], message: str) -> None:
    with pytest.raises(SharedEntriesError, match=message):
        share_entries(plain.read_bytes(), replace(TABLE, **change))
