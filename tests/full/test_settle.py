"""A machine that has settled writes its successor by itself: full a trimmed copy, and that, or full in its
place, a native kernel. On another processor, or with a key pressed: tests/soak/test_settle_soak.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.coverage.guest_coverage import read_recording
from fixture_types import Disk, MadeDisk
from life_tools import (
    EXPORTS,
    RECORD,
    ROOT,
    SECOND,
    SNAPSHOT,
    SOON,
    TRIMS,
    counts,
    generate,
    index,
    results,
    slots,
    steps,
)
from trimmed_copy import Program, without

LEFT = "This copy lacks functions that it needs: its parent boots next."


def test_full_trims_itself(settled: MadeDisk) -> None:
    assert settled.boots >= 3, "the first boot compiles, the second one loads what it compiled"
    assert TRIMS in settled.console
    assert counts(settled.disk) == {"covered": 1, "compiled": 1, "trims": 1, "exports": 0, "rehearsed": 1}
    assert [entry["kind"] for entry in index(settled.disk).values()] == ["trimmed"]


@pytest.mark.timeout(900)
def test_whole_life(settled: MadeDisk, disk: Disk) -> None:
    copy = disk(settled.disk.path)
    expected = results(copy)
    trimmed = generate(copy, SOON)
    assert EXPORTS in trimmed.console and steps(trimmed) == [("export", "written")]
    entry = index(copy)["0002.KRN"]
    assert (entry["kind"], entry["parent"]) == ("native", "0001.KRN") and int(entry["bytes"]) < 300_000
    assert slots(copy) == (SECOND, SNAPSHOT)
    assert results(copy) == expected
    before = copy.newest(RECORD)
    native = generate(copy, SOON)
    assert not [event for event in native.events if event["event"] in ("llvm", "settle")]
    assert results(copy) == expected and copy.newest(RECORD) == before


@pytest.mark.timeout(900)
def test_parent_exports_in_its_place(settled: MadeDisk, disk: Disk, build_dir: Path) -> None:
    """The copy lacks what only an export takes: nothing is lost, and the next boot does it."""
    copy = disk(settled.disk.path)
    expected = results(copy)
    program = Program.of((build_dir / "bareflow.elf").read_bytes())
    names = enumerate(program.names)
    place = next(place for place, name in names if name.startswith("_ZN4llvm17ModuleInlinerPass3run"))
    assert place in read_recording(copy.path).order
    copy.write(SNAPSHOT, without(copy.read(SNAPSHOT), program, [place]))
    trimmed = generate(copy, SOON)
    assert steps(trimmed) == [("export", "failed")] and LEFT in trimmed.console
    trimmed.expect("^warning: No kernel was made: it takes .*ModuleInlinerPass")
    assert results(copy) == expected
    full = generate(copy, SOON)
    assert f"{SNAPSHOT} lacks a function that it needs; {ROOT} is the kernel again." in full.console
    assert steps(full) == [("export", "written")]
    assert [(entry["kind"], entry["result"]) for entry in index(copy).values()] == [
        ("trimmed", "missed"),
        ("native", "new"),
    ]
    assert slots(copy) == (SECOND, ROOT)
    assert not steps(generate(copy, SOON)) and results(copy) == expected
