"""Runs that the image was not trimmed for (held_out.toml): on the trimmed image as on the full one, or an
honest miss, which is noted; how many there were is said at the end.

The trimmed image has the full kernel beside it: what cannot go on without a removed function, starts again
there. What was missed is left in $BAREFLOW_BUILD/held-out-misses.txt, for misses= (conftest.py).
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bareflow.coverage.coverage_file import read_coverage
from bareflow.coverage.guest_coverage import linked_program
from bareflow.models.synthetic_model import ModelConfig, checkpoint_v0, checkpoint_v2, tokenizer
from bareflow.trim.misses import missed_functions, ran_untrimmed
from disk_tools import DiskImage
from fixture_types import Boot, Disk, ModelImage

MODEL, TOKENIZER, IDS = "/model/model.bin", "/model/tokenizer.bin", "/profile/IDS.TXT"
STEPS = 32
CLUSTERS_LEFT = 8192  # bytes, on a disk that is full
# A miss may lead to the full kernel once; it does not lead back.
MOST_BOOTS = 2
# Enough on a busy machine: compiling is slow in an emulator.
LIMIT = 300.0


@dataclass(frozen=True)
class Run:
    """What the members mean, the file says at its head."""

    name: str
    config: dict[str, object]
    input: str = ""
    model: str = "default"
    shape: dict[str, int] = field(default_factory=dict)
    cut: int = 0
    patch: str = ""
    full_disk: bool = False
    boots: int = 1
    code: int = 0
    memory: int = 256
    machine: str = "pc"
    drive: str = "ide"
    cpu: str | None = None


@dataclass(frozen=True)
class Outcome:
    """What a run may not change."""

    codes: list[int]
    texts: list[bytes]
    ids: bytes


@dataclass(frozen=True)
class Told:
    """What a run came to on one of the images."""

    outcome: Outcome
    missed: list[str]
    """Functions that were called and are not there."""
    fell_back: int
    """How often the full kernel had to take over."""
    disk: Path
    """As the run has left it."""


RUNS = [Run(**run) for run in tomllib.loads(Path(__file__).with_name("held_out.toml").read_text())["run"]]
Prepare = Callable[[DiskImage, Run], None]


@pytest.fixture
def prepare(request: pytest.FixtureRequest) -> Prepare:
    """Puts a run's model onto a disk, and whatever else is to be there."""

    def checkpoint(run: Run) -> tuple[bytes, bytes] | None:
        if run.shape:
            sizes = dict(run.shape)
            group = sizes.pop("group", 0)
            shape = ModelConfig(**sizes)
            model = checkpoint_v2(shape, group) if group else checkpoint_v0(shape)
            return model, tokenizer(shape.vocabulary)
        if run.model != "default":
            made: ModelImage = request.getfixturevalue("model_image")
            disk = DiskImage(made(run.model))
            return disk.read(MODEL), disk.read(TOKENIZER)
        return None

    def put(disk: DiskImage, run: Run) -> None:
        if files := checkpoint(run):
            for path, data in zip((MODEL, TOKENIZER), files, strict=True):
                disk.write(path, data)
        if run.cut or run.patch:
            model, patch = disk.read(MODEL), bytes.fromhex(run.patch)
            disk.write(MODEL, patch + model[len(patch) : len(model) - run.cut])
        if run.full_disk:
            disk.write("/FILL.BIN", bytes(max(disk.free_bytes() - CLUSTERS_LEFT, 0)))

    return put


@pytest.fixture
def told(boot: Boot, disk: Disk, prepare: Prepare) -> Callable[[Path, Run], Told]:
    """Boots an image as a run says."""

    def once(copy: DiskImage, run: Run) -> tuple[int, bytes, int]:
        config = {"mode": "generate", "steps": STEPS, **run.config}
        if config["mode"] == "generate" and not run.full_disk:
            config["ids"] = IDS
        machine: dict[str, Any] = {
            "memory": run.memory, "machine": run.machine, "drive": run.drive, "cpu": run.cpu
        }  # fmt: skip
        for fell_back in range(MOST_BOOTS):
            guest = boot(copy, config=config, snapshot=False, timeout=LIMIT, **machine)
            if run.input:
                guest.send(run.input.replace("\n", "\r"))
            ending = guest.wait_end()
            if ending.how != "reset":
                return ending.code, guest.text_bytes, fell_back
            guest.expect("^The full image takes over.$")
        raise AssertionError(f"{run.name}: the full image did not end it either\n{guest.serial}")

    def make(image: Path, run: Run) -> Told:
        copy = disk(image)
        prepare(copy, run)
        ended = [once(copy, run) for _ in range(run.boots)]
        ids = copy.read(IDS) if f"::{IDS}" in copy.listing("/profile") else b""
        codes, texts, fell_back = (list(values) for values in zip(*ended, strict=True))
        return Told(Outcome(codes, texts, ids), missed_functions([copy.path]), sum(fell_back), copy.path)

    return make


@pytest.fixture(scope="session")
def full_only(build_dir: Path) -> Callable[[Path], set[str]]:
    """Of a disk on which the full image ran, the functions that this one was not to have."""
    full = build_dir.parent / "full"
    program = linked_program(*(full / f"bareflow.{kind}" for kind in ("elf", "map", "krn")))
    coverage = read_coverage((full / "coverage.txt").read_text(), "coverage.txt")
    return lambda disk: ran_untrimmed(disk, program, coverage)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.name)
def test_as_full(
    told: Callable[[Path, Run], Told],
    full_only: Callable[[Path], set[str]],
    build_dir: Path,
    record_property: Callable[[str, object], None],
    run: Run,
) -> None:
    trimmed = told(build_dir / "with_full.img", run)
    record_property("fell_back", trimmed.fell_back)
    full = told(build_dir.parent / "full" / "bareflow.img", run)
    if trimmed.missed:
        record_property("missed", trimmed.missed)
        record_property("needed", sorted(full_only(full.disk)))
    assert trimmed.outcome == full.outcome
    assert full.outcome.codes == [run.code] * run.boots
    assert all(full.outcome.texts) == (run.code == 0)
    assert not full.missed and not full.fell_back
