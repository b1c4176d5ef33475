"""A machine that has settled writes its successor by itself: full a trimmed copy, and that, or full in its
place, a native kernel. When it does not fit, or lacks something, that begins again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from bareflow.coverage.guest_coverage import read_recording
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from disk_tools import DiskImage
from fixture_types import Disk, ModelImage
from life_tools import (
    LIMIT,
    PROMPT,
    ROOT,
    SNAPSHOT,
    STEPS,
    choose,
    generate,
    index,
    results,
    slots,
    widths_of,
)
from trimmed_copy import Program, without

SECOND = "/boot/snapshots/0002.KRN"
RECORD = "/profile/SETTLED.TXT"
SOON = {"life.settle": 1}
AT_ONCE = {**SOON, "coverage": "off"}
"""Then full has nothing to trim by, and writes the native kernel."""
MOST_BOOTS = 6
TRIMS = "This machine has settled: it writes a trimmed copy of its kernel; a key puts that off ..."
EXPORTS = "This machine has settled: it writes a native kernel; a key puts that off ..."
LEFT = "This copy lacks functions that it needs: its parent boots next."


def counts(disk: DiskImage) -> dict[str, int]:
    """What the record counts."""
    lines = [line.split("=", 1) for line in disk.newest(RECORD).decode().splitlines()]
    return {key: int(value) for key, value in lines[3:]}


def steps(guest: Guest) -> list[tuple[str, str]]:
    return [(event["step"], event["result"]) for event in guest.events if event["event"] == "settle"]


def boots_until(disk: DiskImage, step: str, settings: Mapping[str, object], **machine: object) -> list[Guest]:
    """Boots until a step is taken; all generate the same text."""
    boots: list[Guest] = []
    expected = None
    while len(boots) < MOST_BOOTS and not (boots and steps(boots[-1])):
        boots.append(generate(disk, settings, **machine))
        expected = expected or results(disk)
        assert results(disk) == expected
    assert steps(boots[-1]) == [(step, "written")]
    return boots


@pytest.fixture(scope="module")
def settled(model_image: ModelImage, tmp_path_factory: pytest.TempPathFactory) -> DiskImage:
    """A disk on which full has written its trimmed copy by itself. Not to be changed."""
    disk = DiskImage.copy(model_image("default"), tmp_path_factory.mktemp("settled") / "disk.img")
    boots = boots_until(disk, "trim", SOON)
    assert len(boots) >= 3, "the first boot compiles, the second one loads what it compiled"
    assert TRIMS in boots[-1].console
    assert counts(disk) == {"covered": 1, "compiled": 1, "trims": 1, "exports": 0, "rehearsed": 1}
    assert [entry["kind"] for entry in index(disk).values()] == ["trimmed"]
    return disk


@pytest.mark.timeout(900)
def test_whole_life(settled: DiskImage, disk: Disk) -> None:
    copy = disk(settled.path)
    expected = results(copy)
    trimmed = generate(copy, SOON)
    assert EXPORTS in trimmed.console and steps(trimmed) == [("export", "written")]
    assert [entry["kind"] for entry in index(copy).values()] == ["trimmed", "native"]
    assert slots(copy) == (SECOND, SNAPSHOT)
    assert results(copy) == expected
    before = copy.newest(RECORD)
    native = generate(copy, SOON)
    assert not [event for event in native.events if event["event"] in ("llvm", "settle")]
    assert results(copy) == expected and copy.newest(RECORD) == before


@pytest.mark.timeout(900)
def test_parent_exports_in_its_place(settled: DiskImage, disk: Disk, build_dir: Path) -> None:
    """The copy lacks what only an export takes: nothing is lost, and the next boot does it."""
    copy = disk(settled.path)
    expected = results(copy)
    program = Program.of((build_dir / "bareflow.elf").read_bytes())
    names = enumerate(program.names)
    place = next(place for place, name in names if name.startswith("_ZN4llvm17ModuleInlinerPass3run"))
    assert place in read_recording(copy.path).order
    copy.write(SNAPSHOT, without(copy.read(SNAPSHOT), program, place))
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


@pytest.mark.timeout(900)
def test_another_cpu(disk: Disk, model_image: ModelImage, build_dir: Path) -> None:
    """The native kernel needs AVX2. A CPU without it gets full, which learns and writes another one."""
    copy = disk(model_image("default"))
    generate(copy, AT_ONCE, cpu="Haswell")
    expected = results(copy)
    own, avx2, _ = widths_of("matmul_q8", build_dir)
    choose(copy, own, avx2)
    boots_until(copy, "export", AT_ONCE, cpu="Haswell")
    assert index(copy)["0001.KRN"]["cpu"].startswith("avx2,")

    first, *_, last = boots_until(copy, "export", AT_ONCE, cpu="qemu64")
    assert first.event("passed_over") == {"event": "passed_over", "kernel": SNAPSHOT, "takes": ROOT}
    assert not steps(first), "it learns before it writes"
    assert last is not first and "cpu" not in index(copy)["0002.KRN"]
    native = generate(copy, AT_ONCE, cpu="qemu64")
    assert not [event for event in native.events if event["event"] in ("llvm", "passed_over")]
    assert results(copy) == expected and slots(copy) == (SECOND, ROOT)


# ---- At the prompt ----


def talk(disk: DiskImage) -> Guest:
    """A dialogue in which the machine compiles only while it generates."""
    config = {"mode": "interactive", "temperature": 0, "steps": STEPS, "jit.idle": "off", **SOON}
    return Guest(Machine(disk.path, config=config, memory=160, snapshot=False), timeout=LIMIT)


@pytest.mark.timeout(900)
def test_key_puts_it_off(disk: Disk, model_image: ModelImage) -> None:
    copy = disk(model_image("default"))
    for _ in range(MOST_BOOTS):
        with talk(copy) as guest:
            guest.send(f"{PROMPT}\r/poweroff\r")  # in a row: there is no pause
            assert guest.wait_exit() == 0, guest.serial
            assert not steps(guest)
        if counts(copy)["covered"] == 1:
            break
    with talk(copy) as guest:
        guest.send(f"{PROMPT}\r")
        guest.expect(TRIMS)
        guest.send("x")
        guest.expect("That is put off, because a key was pressed.")
        guest.expect("> x$")  # the key is not lost
        guest.send("\x03")  # another line: the next occasion
        guest.expect(TRIMS)
        guest.send("/life\r/poweroff\r")
        assert guest.wait_exit() == 0, guest.serial
        assert "This disk has no snapshots." in guest.console
        assert steps(guest) == [("trim", "put off")] * 2
    assert counts(copy) == {"covered": 1, "compiled": 1, "trims": 0, "exports": 0, "rehearsed": 0}
    with talk(copy) as guest:
        guest.send(f"{PROMPT}\r")
        guest.expect(f"{SNAPSHOT}, trimmed, .* bytes: the next boot takes it.")
        guest.expect("> $")
        guest.send("/poweroff\r")
        assert guest.wait_exit() == 0, guest.serial
    assert slots(copy) == (SNAPSHOT, ROOT)
