"""Runs that the image was not trimmed for (trimmed/held_out.toml): on the trimmed image as on full, or an
honest miss, which is noted.

The trimmed image has the full kernel beside it: what cannot go on without a removed function, starts again
there. What full does its program for Linux shows, which takes a fifteenth of the time; where something was
missed, the full image boots as well, for what it runs (misses=).
"""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from bareflow.bench.linux_session import make_root
from bareflow.models.synthetic_model import ModelConfig, checkpoint_v0, checkpoint_v2, tokenizer
from bareflow.qemu.serial import SerialDecoder, Text
from bareflow.trim.misses import missed_functions
from disk_tools import DiskImage
from fixture_types import Boot, Disk, ModelImage
from project_files import ROOT

MODEL, TOKENIZER, IDS = "/model/model.bin", "/model/tokenizer.bin", "/profile/IDS.TXT"
STEPS = 32
CLUSTERS_LEFT = 8192  # bytes, on a disk that is full
# A miss may lead to the full kernel once; it does not lead back.
MOST_BOOTS = 2
# Enough on a busy machine: compiling is slow in an emulator.
LIMIT = 300.0
HANDFUL = 5
"""Functions that a run may miss. More: the sources have moved away from the recording that is committed."""


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

    @property
    def settings(self) -> dict[str, object]:
        """All that the guest is told."""
        config = {"mode": "generate", "steps": STEPS, **self.config}
        leaves_ids = config["mode"] == "generate" and not self.full_disk
        return config | {"ids": IDS} if leaves_ids else config


@dataclass(frozen=True)
class Outcome:
    """What a run may not change."""

    codes: list[int]
    texts: list[bytes]
    ids: bytes


@dataclass(frozen=True)
class Booted:
    """What a run came to on an image."""

    outcome: Outcome
    missed: list[str]
    """Functions that were called and are not there."""
    fell_back: int
    """How often the full kernel had to take over."""
    disk: Path
    """As the run has left it."""


def runs(group: str) -> list[Run]:
    """One of the groups in held_out.toml."""
    return [
        Run(**run) for run in tomllib.loads((ROOT / "tests" / "trimmed" / "held_out.toml").read_text())[group]
    ]


class HeldOut:
    """Makes the runs."""

    def __init__(
        self, boot: Boot, disk: Disk, model_image: Callable[[], ModelImage], build_dir: Path
    ) -> None:
        """`model_image` is called for runs on the reference model only, which may not be there."""
        self._boot, self._disk, self._model_image = boot, disk, model_image
        self._trimmed, self._full = build_dir, build_dir.parent / "full"

    def booted(self, name: str, run: Run) -> Booted:
        """Boots "trimmed", with the full kernel beside it, or "full"."""
        image = self._trimmed / "with_full.img" if name == "trimmed" else self._full / "bareflow.img"
        copy = self._disk(image)
        for path, data in self._files(copy, run).items():
            copy.write(path, data)
        if run.full_disk:
            copy.write("/FILL.BIN", bytes(max(copy.free_bytes() - CLUSTERS_LEFT, 0)))
        ended = [self._once(copy, run) for _ in range(run.boots)]
        ids = copy.read(IDS) if f"::{IDS}" in copy.listing("/profile") else b""
        codes, texts, fell_back = (list(values) for values in zip(*ended, strict=True))
        return Booted(Outcome(codes, texts, ids), missed_functions([copy.path]), sum(fell_back), copy.path)

    def on_linux(self, run: Run, folder: Path) -> Outcome:
        """What the same program as full does on Linux, in a folder that is not there yet."""
        image = DiskImage(self._full / "bareflow.img")
        files = {path: image.read(path) for path in (MODEL, TOKENIZER)} | self._files(image, run)
        folder.mkdir()
        for name, path in (("model", MODEL), ("tokenizer", TOKENIZER)):
            (folder / name).write_bytes(files[path])
        root = make_root(folder / "root", folder / "model", folder / "tokenizer")
        command = [str(self._full / "linux" / "bareflow"), f"root={root}"]
        command += [f"{key}={value}" for key, value in run.settings.items()]
        ended = [_program(command, run.input) for _ in range(run.boots)]
        ids = root / IDS.lstrip("/")
        codes, texts = (list(values) for values in zip(*ended, strict=True))
        return Outcome(codes, texts, ids.read_bytes() if ids.exists() else b"")

    def _once(self, copy: DiskImage, run: Run) -> tuple[int, bytes, int]:
        machine: dict[str, Any] = {
            "memory": run.memory, "machine": run.machine, "drive": run.drive, "cpu": run.cpu
        }  # fmt: skip
        for fell_back in range(MOST_BOOTS):
            guest = self._boot(copy, config=run.settings, snapshot=False, timeout=LIMIT, **machine)
            if run.input:
                guest.send(run.input.replace("\n", "\r"))
            ending = guest.wait_end()
            if ending.how != "reset":
                return ending.code, guest.text_bytes, fell_back
            guest.expect("^The full image takes over.$")
        raise AssertionError(f"{run.name}: the full image did not end it either\n{guest.serial}")

    def _files(self, image: DiskImage, run: Run) -> dict[str, bytes]:
        """What is on the run's disk instead of what is on an image."""
        if run.shape:
            sizes = dict(run.shape)
            group = sizes.pop("group", 0)
            shape = ModelConfig(**sizes)
            model = checkpoint_v2(shape, group) if group else checkpoint_v0(shape)
            return {MODEL: model, TOKENIZER: tokenizer(shape.vocabulary)}
        if run.model != "default":
            other = DiskImage(self._model_image()(run.model))
            return {path: other.read(path) for path in (MODEL, TOKENIZER)}
        if run.cut or run.patch:
            model, patch = image.read(MODEL), bytes.fromhex(run.patch)
            return {MODEL: patch + model[len(patch) : len(model) - run.cut]}
        return {}


def _program(command: list[str], text: str) -> tuple[int, bytes]:
    """A Linux program's exit code and text; its two outputs in one are what the serial line would have."""
    result = subprocess.run(
        command,
        input=text.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=LIMIT,
        check=False,
    )
    decoder = SerialDecoder()
    items = [*decoder.feed(result.stdout), *decoder.finish()]
    return result.returncode, b"".join(item.data for item in items if isinstance(item, Text))


class Check:
    """Checks one run; fixture `check`."""

    def __init__(
        self, held_out: HeldOut, needed: Callable[[Path], set[str]], tmp_path: Path, note: Any
    ) -> None:
        self._held_out, self._needed, self._tmp_path, self._note = held_out, needed, tmp_path, note

    def __call__(self, run: Run) -> None:
        """The same outcome as full's, and the one that is expected."""
        trimmed = self._held_out.booted("trimmed", run)
        full = self._held_out.on_linux(run, self._tmp_path / "linux")
        self._note("fell_back", trimmed.fell_back)
        if trimmed.missed:
            booted = self._held_out.booted("full", run)
            self._note("missed", trimmed.missed)
            self._note("needed", sorted(self._needed(booted.disk)))
            assert booted.outcome == full
            assert not booted.missed and not booted.fell_back
        assert trimmed.outcome == full
        assert full.codes == [run.code] * run.boots
        assert all(full.texts) == (run.code == 0)
        if len(trimmed.missed) > HANDFUL:
            pytest.fail(
                f"{len(trimmed.missed)} functions are missed: the sources have moved away from the committed "
                "recording; ./bareflow variant=trimmed record=1 says how to commit another one\n"
                + "\n".join(trimmed.missed)
            )
