"""A machine that has settled writes its successor by itself: full a trimmed copy, and that, or full in its
place, a native kernel. On another processor, or with a key pressed: tests/soak/test_settle_soak.py."""

from __future__ import annotations

from pathlib import Path

import pytest
from bareflow.coverage.guest_coverage import read_recording
from disk_tools import DiskImage
from fixture_types import Boot, Disk, MadeDisk, ModelImage
from life_tools import (
    EXPORTS,
    LIMIT,
    PROMPT,
    RECORD,
    ROOT,
    SECOND,
    SNAPSHOT,
    SOON,
    STEPS,
    TRIMS,
    boots_until,
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
    assert settled.boots >= 2, "in the first boot every function runs for the first time"
    assert TRIMS in settled.console
    # Whether that boot has compiled something depends on how busy the machine was.
    expected = {"covered": 1, "trims": 1, "exports": 0, "rehearsed": 1}
    assert expected.items() <= counts(settled.disk).items()
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
@pytest.mark.parametrize("to_its_end", [False, pytest.param(True, marks=pytest.mark.soak)])
def test_parent_exports_in_its_place(
    settled: MadeDisk, disk: Disk, build_dir: Path, boot: Boot, to_its_end: bool
) -> None:
    """The copy lacks what only an export takes: nothing is lost, and the next boot does it."""
    copy = disk(settled.disk.path)
    expected = results(copy)
    program = Program.of((build_dir / "bareflow.elf").read_bytes())
    names = enumerate(program.names)
    place = next(place for place, name in names if name.startswith("_ZN4llvm13GlobalDCEPass3run"))
    assert place in read_recording(copy.path).order
    copy.write(SNAPSHOT, without(copy.read(SNAPSHOT), program, [place]))
    trimmed = generate(copy, SOON)
    assert steps(trimmed) == [("export", "failed")] and LEFT in trimmed.console
    trimmed.expect("^warning: No kernel was made: it takes .*GlobalDCEPass")
    assert results(copy) == expected
    if not to_its_end:
        config = {"mode": "generate", "temperature": 0, "steps": STEPS, "prompt": PROMPT, **SOON}
        full = boot(copy, memory=160, snapshot=False, config=config, timeout=LIMIT)
        full.expect(f"{SNAPSHOT} lacks a function that it needs; {ROOT} is the kernel again.")
        full.expect(EXPORTS)
        return
    full = generate(copy, SOON)
    assert f"{SNAPSHOT} lacks a function that it needs; {ROOT} is the kernel again." in full.console
    assert steps(full) == [("export", "written")]
    assert [(entry["kind"], entry["result"]) for entry in index(copy).values()] == [
        ("trimmed", "missed"),
        ("native", "new"),
    ]
    assert slots(copy) == (SECOND, ROOT)
    assert not steps(generate(copy, SOON)) and results(copy) == expected


@pytest.mark.timeout(900)
def test_trimmed_variant_exports(
    model_image: ModelImage, disk: Disk, once: DiskImage, trims_itself: bool
) -> None:
    """A kernel that the build has trimmed writes the native one itself."""
    if trims_itself:
        pytest.skip("full writes a trimmed copy first: test_whole_life")
    copy = disk(model_image("default"))
    boots_until(copy, "export", SOON)
    entry = index(copy)["0001.KRN"]
    assert (entry["kind"], entry["parent"]) == ("native", "BAREFLOW.KRN")
    native = generate(copy, SOON)
    assert not [event for event in native.events if event["event"] in ("llvm", "settle")]
    assert results(copy) == results(once)
