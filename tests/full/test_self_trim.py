"""Full writes a trimmed copy of itself: the copy generates the same tokens with the same logits, and lacks
what the graph would remove by the same coverage. When it needs some of that, full takes over."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from bareflow.coverage.coverage_file import write_coverage
from bareflow.coverage.guest_coverage import Recording, linked_program, read_recording
from bareflow.disk.boot_slots import LBA, decode
from bareflow.disk.fat import SECTOR
from bareflow.kernel.kernel_file import parse_header, seal
from bareflow.kernel.link_map import read_map
from bareflow.kernel.symbols import readable
from bareflow.llvm import llvm_tool
from bareflow.qemu.guest import Guest
from bareflow.qemu.machine import Machine
from bareflow.trim.job import Job, is_archive
from bareflow.trim.removed import read_removed
from bareflow.variant import load_variant
from disk_tools import DiskImage
from fixture_types import Disk, MadeDisk, ModelImage
from life_tools import BY_HAND
from project_files import ROOT
from trimmed_copy import Program, without
from unpacked_kernel import unpacked

SNAPSHOT = "/boot/snapshots/0001.KRN"
FULL = "/boot/BAREFLOW.KRN"
MISSES = "/profile/MISSES.TXT"
LIMIT = 300.0
STEPS = 24
MEMORY = 160
STORY = {
    "mode": "generate", "temperature": 0, "steps": STEPS, "prompt": "Once upon a time",
    "ids": "/IDS.TXT", "logits": "/LOGITS.BIN", **BY_HAND,
}  # fmt: skip


def generate(disk: DiskImage, *, code: int = 0, **machine: object) -> Guest:
    """One text in a boot of its own; its ids and logits are on the disk."""
    options = {"memory": MEMORY, "snapshot": False, "config": STORY, **machine}
    with Guest(Machine(disk.path, **options), timeout=LIMIT) as guest:  # type: ignore[arg-type]
        assert guest.wait_exit() == code, guest.serial
    return guest


def results(disk: DiskImage) -> tuple[bytes, str]:
    """The ids, and a hash of the logits."""
    return disk.read("/IDS.TXT"), hashlib.sha256(disk.read("/LOGITS.BIN")).hexdigest()


def command(disk: DiskImage, line: str, **machine: object) -> Guest:
    """A dialogue with this one command."""
    config = {"mode": "interactive", "temperature": 0, "steps": STEPS, **BY_HAND}
    options = {"memory": MEMORY, "snapshot": False, "config": config, **machine}
    with Guest(Machine(disk.path, **options), timeout=LIMIT) as guest:  # type: ignore[arg-type]
        guest.expect("> $")
        guest.send(f"{line}\r/poweroff\r")
        assert guest.wait_exit() == 0, guest.serial
    return guest


@pytest.fixture
def trimmed(settled: MadeDisk, disk: Disk) -> DiskImage:
    """A copy of a disk on which full has written its trimmed copy."""
    return disk(settled.disk.path)


def index(disk: DiskImage) -> list[dict[str, str]]:
    """The lines of the index."""
    lines = disk.newest("/boot/snapshots/INDEX.TXT").decode().splitlines()
    return [dict(word.split("=", 1) for word in line.split()) for line in lines if line[0] != "#"]


def slots(disk: DiskImage) -> tuple[str, str]:
    """The paths of the newest kernel and of its parent."""
    with disk.path.open("rb") as file:
        file.seek(LBA * SECTOR)
        record = decode(file.read(SECTOR))
    assert record is not None
    return record.kernels


def test_copy_says_the_same(once: DiskImage, settled: MadeDisk, trimmed: DiskImage) -> None:
    assert "JIT:" not in settled.console, "what the rehearsal lets fail is not told"
    kernel = trimmed.read(SNAPSHOT)
    header = parse_header(kernel)
    assert seal(kernel) == kernel, "build id and CRC are those that the image builder would make"
    assert len(kernel) == settled.event("trim")["kernel_bytes"] < 0.72 * len(trimmed.read(FULL))
    (line,) = index(trimmed)
    assert line["kind"] == "trimmed" and line["parent"] == "BAREFLOW.KRN"
    assert line["build"] == header.build_id.hex()
    for cpu in ("qemu64", "max"):
        guest = generate(trimmed, cpu=cpu)
        assert guest.event("boot")["build_id"] == header.build_id.hex()
        assert not [event for event in guest.events if event["event"] == "coverage"]
        # What is compiled depends on the machine's speed, so something may be missing.
        assert all(event["recovered"] for event in guest.events if event["event"] == "trap")
        assert results(trimmed) == results(once)
        # Its functions are where full's are, so profile and compiled code are good for it.
        assert "begins anew" not in guest.serial or cpu != "qemu64"
    (line,) = index(trimmed)
    assert line["boots"] == "2" and line["result"] == "good"


def test_memory_of_empty_pages(settled: MadeDisk, trimmed: DiskImage, build_dir: Path) -> None:
    """The heap has what full's has, and the pages in which no function is left. Without NX, a call of such a
    function would go unnoticed there."""
    program = Program.of((build_dir / "bareflow.elf").read_bytes())
    empty = program.empty_bytes(unpacked(trimmed.read(SNAPSHOT)))
    assert empty > 6 << 20
    for cpu, given in (("qemu64", empty), ("qemu64,-nx", 0)):
        boot = generate(trimmed, cpu=cpu, config={**STORY, "steps": 8}).event("boot")
        assert boot["ram_bytes"] == settled.event("boot")["ram_bytes"]
        assert boot["heap_bytes"] == settled.event("boot")["heap_bytes"] + given


def test_trims_only_once(trimmed: DiskImage) -> None:
    command(trimmed, "/trim").expect("^error: This kernel has been trimmed already.$")


def test_wants_an_earlier_boot(model_image: ModelImage, disk: Disk, trims_itself: bool) -> None:
    if not trims_itself:
        pytest.skip("this kernel is trimmed: it says so")
    copy = disk(model_image("default"))
    command(copy, "/trim").expect("^error: No earlier boot is in /profile/COVERAGE.BIN: ")
    assert copy.listing("/boot/snapshots") == []


# ---- What the graph removes ----


def graph_removes(build: Path, recording: Recording, folder: Path) -> set[int]:
    """The addresses of the functions that the build's trim makes stubs of, by this coverage."""
    linked = linked_program(*(build / f"bareflow.{kind}" for kind in ("elf", "map", "krn")))
    coverage = folder / "coverage.txt"
    coverage.write_text(write_coverage(linked.covered(recording, "the guest's")))
    inputs = (build / "bareflow.inputs").read_text().splitlines()
    job = Job(
        coverage=[str(coverage)],
        misses=[],
        map=str(build / "bareflow.map"),
        archives=[name for name in inputs if is_archive(name)],
        output=str(folder / "objects"),
        removed=str(folder / "removed.jsonl"),
        emptied=str(folder / "emptied.jsonl"),
        trimming=load_variant(ROOT / "variants", "full", "x86_64").trimming,
    )
    (folder / "job.json").write_text(json.dumps(asdict(job)))
    program = [sys.executable, "-m", "bareflow.trim.trim", str(folder / "job.json")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "site_scons")}
    subprocess.run(program, check=True, cwd=ROOT, env=environment, timeout=LIMIT)
    shutil.rmtree(folder / "objects")
    stubs = {(entry.file, entry.section) for entry in read_removed((folder / "removed.jsonl").read_text())}
    with open(build / "bareflow.map") as lines:
        sections = [section for section in read_map(lines) if section.output == ".text" and section.size]
    return {section.address for section in sections if (section.file, section.name) in stubs}


def test_graph_removes_the_same(settled: MadeDisk, build_dir: Path, tmp_path: Path) -> None:
    """Full's list of dead functions is that of the graph, from the same coverage. The graph also keeps what a
    living function jumps into, which are cold parts of functions; when those are reached full takes over."""
    program = Program.of((build_dir / "bareflow.elf").read_bytes())
    may, removed = program.bits(unpacked(settled.disk.read(SNAPSHOT)))
    assert len(removed) == settled.event("trim")["removed"] > 20_000
    recording = read_recording(settled.disk.path)
    # Of what may be removed, all that ran before the list was made stays, and nothing else.
    before, later = (
        [place for place in recording.order if place in may and (place in removed) is after]
        for after in (False, True)
    )
    assert may - removed == set(before)
    assert [place for place in recording.order if place in may] == before + later
    recording = replace(recording, order=tuple(p for p in recording.order if p not in removed))
    graph = graph_removes(build_dir, recording, tmp_path)
    own = {program.addresses[place] for place in removed}
    assert graph <= own
    only_own = own - graph
    names = [name for name, at in zip(program.names, program.addresses, strict=True) if at in only_own]
    assert all(name.endswith(".cold") for name in names) and len(names) < 10


# ---- A function that is needed after all ----


@pytest.mark.parametrize("page_is_empty", [True, pytest.param(False, marks=pytest.mark.soak)])
def test_full_takes_over(
    once: DiskImage, settled: MadeDisk, trimmed: DiskImage, build_dir: Path, page_is_empty: bool
) -> None:
    """What runs when the program begins is missing, where nothing can be given up. If its page is empty, the
    heap has it."""
    copy = trimmed
    program = Program.of((build_dir / "bareflow.elf").read_bytes())
    kernel = copy.read(SNAPSHOT)
    may, _ = program.bits(unpacked(kernel))
    ran = [place for place in read_recording(copy.path).order if place in may]
    if page_is_empty:
        places = next(page for place in ran if may.issuperset(page := program.in_page_of(place)))
    else:
        first = next(place for place in ran if program.names[place].startswith("_ZN4llvm"))
        places = range(first, first + 1)
    copy.write(SNAPSHOT, without(kernel, program, places))
    with Guest(
        Machine(copy.path, config=STORY, memory=MEMORY, snapshot=False), timeout=LIMIT, strict=False
    ) as guest:
        assert guest.wait_end().how == "reset", guest.serial
    empty = [program.empty_bytes(unpacked(file)) for file in (kernel, copy.read(SNAPSHOT))]
    assert (empty[1] > empty[0]) == page_is_empty
    assert guest.event("boot")["heap_bytes"] == settled.event("boot")["heap_bytes"] + empty[1]
    trap = guest.event("trap")
    assert trap["name"] in readable([program.names[place] for place in places], llvm_tool("llvm-cxxfilt"))
    guest.expect(f"^removed function .* called by {re.escape(str(trap['caller']))}$")
    guest.expect("^The full image takes over.$")
    assert copy.newest(MISSES).decode() == f"{trap['name']}\n"

    full = generate(copy)
    full.expect(f"^{SNAPSHOT} lacks a function that it needs; {FULL} is the kernel again.$")
    assert results(copy) == results(once)
    assert [line["result"] for line in index(copy)] == ["missed"]
    assert slots(copy) == (FULL, FULL)


@pytest.mark.soak  # tests/trimmed/test_missed.py does it to the graph's trimmed kernel
def test_compilation_is_given_up(once: DiskImage, trimmed: DiskImage) -> None:
    """Other levels need other functions: what cannot be compiled stays as it is."""
    config = {**STORY, "jit.compile_all": "on", "jit.cache": "off"}
    guest = generate(trimmed, config=config, memory=1024)
    traps = [event for event in guest.events if event["event"] == "trap"]
    assert traps and all(event["removed"] and event["recovered"] for event in traps)
    assert results(trimmed) == results(once)
    noted = trimmed.newest(MISSES).decode().splitlines()
    assert set(noted) == {event["name"] for event in traps}
